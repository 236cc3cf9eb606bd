import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from services.auth.keys import link_key, second_factor_key, signing_key
from services.cli.commands import app
from shared.database.provision import ServiceDatabase

CheckData = Callable[..., Awaitable[Result]]
"""Runs `check-data` with these words."""


@pytest.fixture
def told(redis_url: str, tmp_path: Path) -> dict[str, str]:
    """What every service is told, save its database."""
    return {
        "CHECK_DATA_HOME": str(tmp_path / "home"),
        "CHECK_DATA_REDIS_URL": redis_url,
        "CHECK_DATA_LINK_KEYS": json.dumps([link_key()]),
        "CHECK_DATA_SIGNING_KEYS": json.dumps([signing_key()]),
        "CHECK_DATA_SECOND_FACTOR_KEYS": json.dumps([second_factor_key()]),
        "CHECK_DATA_SERVICE_SECRETS": json.dumps({"access": link_key()}),
    }


def check_data(told: dict[str, str], database: ServiceDatabase) -> CheckData:
    environment = {**told, "CHECK_DATA_DATABASE_URL": database.service_url}
    for url in database.extra_urls.values():
        environment["CHECK_DATA_READER_DATABASE_URL"] = url

    async def run(*words: str) -> Result:
        def invoke() -> Result:
            return CliRunner().invoke(app, list(words), env=environment)

        # In a thread: each command brings an event loop of its own.
        return await asyncio.to_thread(invoke)

    return run

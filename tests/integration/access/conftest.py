"""Access as it runs: its own Postgres and bus, called over HTTP with tokens of a test issuer."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pydantic import SecretStr
from redis.asyncio import Redis

from services.access.app import create
from services.access.settings import AccessSettings
from shared.settings import EmailSettings, Environment
from tests.conftest import NewDatabase
from tests.integration.access.office import ORGANISATIONS, Cast, MovableClock, Office, gather_cast
from tests.servers import Servers
from tests.tokens import TestIssuer

NOWHERE = "http://127.0.0.1:9"
PUBLISHERS = ("manage_ects", "auth", "access", "participants", "export")


@pytest.fixture
async def office(
    new_database: NewDatabase, servers: Servers, redis: Redis, tmp_path: Path
) -> AsyncIterator[Office]:
    """Access with five organisations and nobody in it."""
    database = await new_database("access")
    settings = AccessSettings(
        environment=Environment.DEVELOPMENT,
        database_url=SecretStr(database.service_url),
        redis_url=SecretStr(servers.redis_url),
        relay_poll_seconds=0.1,
        auth_url=NOWHERE,
        public_url="https://check.example.org",
        feed_urls=dict.fromkeys(PUBLISHERS, NOWHERE),
        email=EmailSettings(via="inbox", inbox_folder=tmp_path / "inbox"),
    )
    issuer, clock = TestIssuer("access"), MovableClock()
    app = create(settings, keys=issuer.keys, clock=clock)
    async with (
        app.router.lifespan_context(app),
        Office(app, issuer, database, tmp_path / "inbox", clock) as office,
    ):
        await office.hear(*ORGANISATIONS)
        yield office


@pytest.fixture
async def cast(office: Office) -> Cast:
    return await gather_cast(office)

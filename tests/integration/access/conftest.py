"""Access as it runs: its own Postgres and bus, called over HTTP with tokens of a test issuer.

The usual people are put in once, through the real commands; each test gets a copy of that database.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from pydantic import SecretStr

from services.access.app import create
from services.access.settings import AccessSettings
from shared.database.provision import ServiceDatabase
from shared.settings import EmailSettings, Environment
from tests.databases import Databases
from tests.integration.access.office import ORGANISATIONS, Cast, MovableClock, Office, gather_cast
from tests.servers import Servers
from tests.tokens import TestIssuer

NOWHERE = "http://127.0.0.1:9"
PUBLISHERS = ("manage_ects", "auth", "access", "participants", "export")


@dataclass(frozen=True)
class Template:
    """Databases to copy: with five organisations and nobody in it, and with the cast."""

    empty: str
    peopled: str
    cast: Cast


@pytest.fixture(scope="session")
async def template(
    servers: Servers, databases: Databases, tmp_path_factory: pytest.TempPathFactory
) -> Template:
    database = await databases.new("access")
    empty = database.name
    async with _open(database, servers.new_redis_url(), tmp_path_factory.mktemp("empty")) as office:
        await office.hear(*ORGANISATIONS)
    database = await databases.copy("access", empty)
    peopled = database.name
    async with _open(database, servers.new_redis_url(), tmp_path_factory.mktemp("peopled")) as office:
        cast = await gather_cast(office)
    return Template(empty, peopled, cast)


@pytest.fixture
async def office(
    request: pytest.FixtureRequest,
    template: Template,
    databases: Databases,
    redis_url: str,
    tmp_path: Path,
) -> AsyncIterator[Office]:
    """Access with five organisations, and nobody in it save the cast when the test asks for it."""
    peopled = "cast" in request.fixturenames
    database = await databases.copy("access", template.peopled if peopled else template.empty)
    async with _open(database, redis_url, tmp_path) as office:
        yield office


@pytest.fixture
async def cast(template: Template) -> Cast:
    return template.cast


@asynccontextmanager
async def _open(database: ServiceDatabase, redis_url: str, folder: Path) -> AsyncIterator[Office]:
    settings = AccessSettings(
        environment=Environment.DEVELOPMENT,
        database_url=SecretStr(database.service_url),
        redis_url=SecretStr(redis_url),
        relay_poll_seconds=0.1,
        auth_url=NOWHERE,
        public_url="https://check.example.org",
        feed_urls=dict.fromkeys(PUBLISHERS, NOWHERE),
        email=EmailSettings(via="inbox", inbox_folder=folder / "inbox"),
    )
    issuer, clock = TestIssuer("access"), MovableClock()
    app = create(settings, keys=issuer.keys, clock=clock)
    office = Office(app, issuer, database, folder / "inbox", clock, settings)
    async with app.router.lifespan_context(app), office:
        yield office

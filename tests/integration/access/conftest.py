"""Access as it runs: its own Postgres and bus, called over HTTP with tokens of a test issuer.

The usual people are put in once, through the real commands; each test gets a copy of that database.
"""

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from pydantic import SecretStr
from redis.asyncio import Redis
from sqlalchemy import text

from services.access.app import create
from services.access.settings import AccessSettings
from shared.database.engine import create_engine
from shared.database.migrate import migrate
from shared.database.provision import ServiceDatabase, provision
from shared.settings import EmailSettings, Environment
from tests.conftest import PASSWORD
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
async def template(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Template:
    empty, peopled = _name(), _name()
    database = await provision(servers.postgres_admin_url, "access", empty, PASSWORD)
    await migrate("access", database.owner_url)
    async with _open(servers, database, tmp_path_factory.mktemp("empty")) as office:
        await office.hear(*ORGANISATIONS)
    database = await _copy(servers, empty, peopled)
    async with _open(servers, database, tmp_path_factory.mktemp("peopled")) as office:
        cast = await gather_cast(office)
    return Template(empty, peopled, cast)


@pytest.fixture
async def office(
    request: pytest.FixtureRequest, template: Template, servers: Servers, redis: Redis, tmp_path: Path
) -> AsyncIterator[Office]:
    """Access with five organisations, and nobody in it save the cast when the test asks for it."""
    peopled = "cast" in request.fixturenames
    database = await _copy(servers, template.peopled if peopled else template.empty, _name())
    async with _open(servers, database, tmp_path) as office:
        yield office


@pytest.fixture
async def cast(template: Template) -> Cast:
    return template.cast


@asynccontextmanager
async def _open(servers: Servers, database: ServiceDatabase, folder: Path) -> AsyncIterator[Office]:
    settings = AccessSettings(
        environment=Environment.DEVELOPMENT,
        database_url=SecretStr(database.service_url),
        redis_url=SecretStr(servers.redis_url),
        relay_poll_seconds=0.1,
        auth_url=NOWHERE,
        public_url="https://check.example.org",
        feed_urls=dict.fromkeys(PUBLISHERS, NOWHERE),
        email=EmailSettings(via="inbox", inbox_folder=folder / "inbox"),
    )
    issuer, clock = TestIssuer("access"), MovableClock()
    app = create(settings, keys=issuer.keys, clock=clock)
    office = Office(app, issuer, database, folder / "inbox", clock)
    async with app.router.lifespan_context(app), office:
        yield office


async def _copy(servers: Servers, source: str, name: str) -> ServiceDatabase:
    engine = create_engine(servers.postgres_admin_url, pool_size=1)
    async with engine.connect() as raw:
        connection = await raw.execution_options(isolation_level="AUTOCOMMIT")
        await connection.execute(text(f"CREATE DATABASE {name} OWNER access_owner TEMPLATE {source}"))
    await engine.dispose()
    return await provision(servers.postgres_admin_url, "access", name, PASSWORD)


def _name() -> str:
    return f"test_access_{uuid.uuid4().hex[:8]}"

import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import pytest
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.database.engine import create_engine
from shared.database.migrate import migrate
from shared.database.provision import ServiceDatabase, provision
from tests.running import RunningSystem, running_system
from tests.servers import Servers, embedded_servers

PASSWORD = "not-a-secret"


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    with embedded_servers() as servers:
        yield servers


@pytest.fixture(scope="session")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSystem]:
    """The whole system, started once for all the tests that walk through it."""
    home = tmp_path_factory.mktemp("home")
    for folder in (home, *home.parents[:2]):
        folder.chmod(0o755)  # when run as root, Postgres runs as another user
    with running_system(home) as running:
        yield running


def pytest_report_header() -> str:
    return "servers: embedded Postgres and Valkey"


NewDatabase = Callable[[str], Awaitable[ServiceDatabase]]


@pytest.fixture
async def new_database(servers: Servers) -> NewDatabase:
    """Makes an empty, migrated database for a service."""

    async def make(service: str) -> ServiceDatabase:
        name = f"test_{service}_{uuid.uuid4().hex[:8]}"
        database = await provision(servers.postgres_admin_url, service, name, PASSWORD)
        await migrate(service, database.owner_url)
        return database

    return make


@pytest.fixture
async def plain_database(new_database: NewDatabase) -> ServiceDatabase:
    """A database with nothing but what every service has."""
    return await new_database("plain")


@pytest.fixture
async def engine(plain_database: ServiceDatabase) -> AsyncIterator[AsyncEngine]:
    """The service role's engine on a plain database."""
    engine = create_engine(plain_database.service_url)
    yield engine
    await engine.dispose()


@pytest.fixture
async def redis(servers: Servers) -> AsyncIterator[Redis]:
    client: Redis = Redis.from_url(servers.redis_url)
    await client.flushall()
    yield client
    await client.aclose()

import functools
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator
from contextlib import aclosing
from dataclasses import replace

import pytest
import structlog
from hypothesis import HealthCheck, settings
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.bus.client import open_client
from shared.database.engine import create_engine
from shared.database.provision import ServiceDatabase
from shared.logging import TOLD_OF_ERRORS
from tests.collector import collector
from tests.databases import Databases
from tests.running import RunningSystem, running_system
from tests.servers import (
    POSTGRES_IMAGE,
    REDIS_IMAGE,
    Servers,
    container_servers,
    embedded_servers,
    why_no_containers,
)
from tests.valkey_cluster import ValkeyCluster
from tests.watch import OVERHEARD, left_by, left_by_all, said_by, told_by

# What services of the tests log must not come between what a command prints, which tests look at. Errors are
# told of as by a service that runs: the suite watches what they say.
structlog.configure(
    processors=[structlog.processors.add_log_level, *TOLD_OF_ERRORS, structlog.processors.JSONRenderer()],
    logger_factory=structlog.PrintLoggerFactory(sys.stderr),
)

# How long an example takes says how busy the machine is, and nothing of what is tested.
settings.register_profile("suite", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("suite")


@functools.cache
def no_containers() -> str | None:
    return why_no_containers()


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    with container_servers() if no_containers() is None else embedded_servers(durable=False) as servers:
        yield servers
        assert left_by_all(servers) == []


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSystem]:
    """The whole system, for the tests of one module; then it is stopped, and takes no time from others."""
    home = tmp_path_factory.mktemp("home")
    for folder in (home, *home.parents[:2]):
        folder.chmod(0o755)  # when run as root, Postgres runs as another user
    with collector() as (address, traces):
        with running_system(home, {"CHECK_DATA_TRACES_TO": address}) as running:
            yield replace(running, traces=traces)
            assert left_by(home) == []
        assert told_by(traces) == []


@pytest.fixture(scope="session", autouse=True)
def _refusals_are_overheard() -> Iterator[None]:
    with OVERHEARD.refusals():
        yield


@pytest.fixture(autouse=True)
def _spans_are_overheard() -> Iterator[None]:
    with OVERHEARD.spans():
        yield


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.when == "teardown":
        found = said_by(report) + OVERHEARD.findings()
        if report.passed and found:
            report.outcome = "failed"
            report.longrepr = f"{item.nodeid} lets this be seen where none may: {found}"
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    why = no_containers()
    used = (
        f"containers of {POSTGRES_IMAGE} and {REDIS_IMAGE}" if why is None else f"embedded ones, since {why}"
    )
    terminalreporter.write_line(f"Postgres and Redis of the tests: {used}")


NewDatabase = Callable[[str], Awaitable[ServiceDatabase]]


@pytest.fixture(scope="session")
def databases(servers: Servers) -> Databases:
    return Databases(servers)


@pytest.fixture
async def new_database(databases: Databases) -> NewDatabase:
    """Makes an empty, migrated database for a service."""
    return databases.new


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
def redis_url(servers: Servers) -> str:
    """A Redis database of this test's own, empty."""
    return servers.new_redis_url()


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    client: Redis = Redis.from_url(redis_url)
    yield client
    await client.aclose()


@pytest.fixture(scope="session")
async def formed_cluster(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ValkeyCluster]:
    cluster = ValkeyCluster(tmp_path_factory.mktemp("cluster"))
    await cluster.start()
    yield cluster
    cluster.stop()


@pytest.fixture
async def valkey_cluster(formed_cluster: ValkeyCluster) -> ValkeyCluster:
    """Three nodes that hold nothing. Who kills one starts it again."""
    await formed_cluster.is_whole()
    async with aclosing(open_client(formed_cluster.url)) as client:
        await client.flushall()
    return formed_cluster

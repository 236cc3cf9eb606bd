"""The campaign's small world: two servers, two of each service, and a load."""

import asyncio
import random
import shutil
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from asyncpg import PostgresError
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.bus.client import BUS_AWAY, Client, open_client
from shared.database.engine import create_engine
from shared.database.errors import AWAY
from shared.database.migrate import migrate
from shared.database.provision import ServiceDatabase, provision
from shared.embedded.ports import free_ports
from tests.faults.killable import Postgres, Service, Valkey, primary_among
from tests.faults.oracle import Verdict, judge
from tests.faults.rehearsal import LOAD_FLAG, PUBLISHER, READER, READER_TABLES, SENDER
from tests.servers import new_folder
from tests.valkey_cluster import ValkeyCluster

Answer = TypeVar("Answer")

PUBLISHED = text("SELECT count(*) FROM events WHERE NOT (data->>'secret')::bool")
HEAD = text("SELECT count(*) FROM events")
SEEN = text("SELECT count(*) FROM seen")
CHECKPOINT = text("SELECT coalesce(min(position), 0) FROM checkpoints")
UNDONE = text("SELECT count(*) FROM work WHERE state <> 'done'")
PATIENCE_SECONDS = 60.0
CLOCK_OFF_SECONDS = 300


@dataclass
class Ground:
    """What the services stand on. postgres: the primary, if there are two; valkey: None on a cluster."""

    postgres: Postgres
    replica: Postgres | None = None
    valkey: Valkey | None = None
    cluster: ValkeyCluster | None = None

    @property
    def redis_url(self) -> str:
        on = self.cluster or self.valkey
        assert on is not None
        return on.url

    def reached(self, url: str) -> str:
        """A database's URL, whichever of the two servers is the primary."""
        return primary_among(url, [self.postgres.sockets, self.replica.sockets]) if self.replica else url

    async def is_spread(self, folder: Path) -> None:
        """Give the primary a replica for which each commit waits: so that a promotion loses none."""
        await asyncio.to_thread(self._replicate, folder)
        await tell(self.postgres, "ALTER SYSTEM SET synchronous_standby_names = 'ANY 1 (*)'")
        await tell(self.postgres, "SELECT pg_reload_conf()")

    def _replicate(self, folder: Path) -> None:
        gone = self.replica.sockets if self.replica else None
        self.replica = self.postgres.replica(folder, gone)
        self.replica.start()

    async def promote(self, folder: Path) -> None:
        """The primary is dead: its replica takes its place, and gets one of its own."""
        assert self.replica is not None
        self.postgres, self.replica = self.replica, self.postgres
        await tell(self.postgres, "SELECT pg_promote()")
        await self.is_spread(folder)

    def kill(self) -> None:
        for server in (self.postgres, self.replica, self.valkey):
            if server is not None:
                server.kill()
        if self.cluster is not None:
            self.cluster.stop()


async def tell(postgres: Postgres, statement: str) -> None:
    engine = create_engine(postgres.admin_url, pool_size=1)
    async with engine.connect() as raw:
        connection = await raw.execution_options(isolation_level="AUTOCOMMIT")
        await connection.execute(text(statement))
    await engine.dispose()


@dataclass(frozen=True, slots=True)
class World:
    folder: Path
    rng: random.Random
    partitions: int
    ground: Ground
    redis: Client
    publisher_engine: AsyncEngine
    reader_engine: AsyncEngine
    publishers: list[Service]
    readers: list[Service]
    senders: list[Service]

    @property
    def services(self) -> list[Service]:
        return [*self.publishers, *self.readers, *self.senders]

    def set_flag(self, name: str, up: bool) -> None:
        if up:
            (self.folder / name).touch()
        else:
            (self.folder / name).unlink(missing_ok=True)

    async def recovered(self) -> float:
        """Seconds until all that was committed by now is in the reader's rows."""
        start = time.monotonic()
        target = await _ask(self.publisher_engine, PUBLISHED)
        await self._until(lambda: self._at_least(target), "the reader did not catch up")
        return time.monotonic() - start

    async def _at_least(self, target: int) -> bool:
        return await _ask(self.reader_engine, SEEN) >= target

    async def settled(self) -> float:
        """End the load. Seconds until every checkpoint is at the head and every job is done."""
        self.set_flag(LOAD_FLAG, False)
        await asyncio.sleep(1)  # transactions that are open end
        start = time.monotonic()
        await self._until(self._is_settled, "the lag did not become zero")
        return time.monotonic() - start

    async def _is_settled(self) -> bool:
        head = await _ask(self.publisher_engine, HEAD)
        at = await _ask(self.reader_engine, CHECKPOINT)
        return at == head and await _ask(self.reader_engine, UNDONE) == 0

    async def _until(self, condition: Callable[[], Awaitable[bool]], otherwise: str) -> None:
        until = time.monotonic() + PATIENCE_SECONDS
        while not await condition():
            for service in self.services:
                service.must_be_alive()
            if time.monotonic() > until:
                raise AssertionError(f"{otherwise} within {PATIENCE_SECONDS:.0f} seconds ({self.folder})")
            await asyncio.sleep(0.1)

    async def judge(self) -> Verdict:
        return await judge(self.publisher_engine, self.reader_engine, self.folder)


async def _ask(engine: AsyncEngine, question: object) -> int:
    """A number from a server that may be away."""
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            async with engine.connect() as connection:
                return int(await connection.scalar(question) or 0)  # type: ignore[call-overload]
        except (*AWAY, PostgresError):
            if time.monotonic() > until:
                raise
            await asyncio.sleep(0.2)


async def ask_bus(question: Callable[[], Awaitable[Answer]]) -> Answer:
    """An answer from a bus that may be away."""
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return await question()
        except BUS_AWAY:
            if time.monotonic() > until:
                raise
            await asyncio.sleep(0.1)


@asynccontextmanager
async def running_world(seed: str, partitions: int, *, spread: bool = False) -> AsyncIterator[World]:
    """Everything up, the load on. The folder with the logs is kept when something goes wrong.

    spread: on a cluster of three Valkeys, and a Postgres with a replica.
    """
    folder = new_folder("faults")
    rng = random.Random(seed)
    async with AsyncExitStack() as stack:
        postgres = Postgres.new(folder / "postgres")
        postgres.start()
        ground = Ground(postgres)
        stack.callback(ground.kill)
        if spread:
            ground.cluster = ValkeyCluster(folder / "cluster")
            await ground.cluster.start()
        else:
            ground.valkey = Valkey(folder / "valkey")
            ground.valkey.start()
        databases = {
            name: await provision(postgres.admin_url, name, name, "") for name in (PUBLISHER, READER)
        }
        for name, database in databases.items():
            await migrate(name, database.owner_url)
        await _create_tables(databases[READER])
        if spread:
            await ground.is_spread(folder / "replica")
        redis = open_client(ground.redis_url)
        stack.push_async_callback(redis.aclose)
        urls = {name: ground.reached(database.service_url) for name, database in databases.items()}
        engines = {name: create_engine(url, pool_size=2) for name, url in urls.items()}
        for engine in engines.values():
            stack.push_async_callback(engine.dispose)
        ports = free_ports(2)
        feed = ports[0]
        publishers = [
            _service(PUBLISHER, n, urls[PUBLISHER], folder, ground, partitions, port, feed)
            for n, port in enumerate(ports)
        ]
        readers = [_service(READER, n, urls[READER], folder, ground, partitions, 0, feed) for n in range(2)]
        senders = [_service(SENDER, n, urls[READER], folder, ground, partitions, 0, feed) for n in range(2)]
        for service in (*publishers, *readers, *senders):
            stack.callback(service.stop)
            service.start()
        world = World(
            *(folder, rng, partitions, ground, redis),
            *(engines[PUBLISHER], engines[READER], publishers, readers, senders),
        )
        world.set_flag(LOAD_FLAG, True)
        await world._until(lambda: world._at_least(100), "the world did not come up")
        yield world
    shutil.rmtree(folder)


async def _create_tables(database: ServiceDatabase) -> None:
    owner = create_engine(database.owner_url, pool_size=1)
    async with owner.begin() as connection:
        for statement in READER_TABLES:
            await connection.execute(text(statement))
    await owner.dispose()


def _service(
    role: str,
    number: int,
    database_url: str,
    folder: Path,
    ground: Ground,
    partitions: int,
    port: int,
    feed_port: int,
) -> Service:
    environment = {
        "CHECK_DATA_DATABASE_URL": database_url,
        "CHECK_DATA_REDIS_URL": ground.redis_url,
        "CHECK_DATA_BUS_PARTITIONS": str(partitions),
        "CHECK_DATA_BUS_MAX_LENGTH": "1000",
        "CHECK_DATA_RELAY_BATCH": "100",
        "CHECK_DATA_PROJECTION_BATCH": "100",
        "CHECK_DATA_PORT": str(port),
        "CHECK_DATA_FEED_URLS": f'{{"{PUBLISHER}": "http://127.0.0.1:{feed_port}"}}',
        "FAULTS_FOLDER": str(folder),
        # One of each two does not know how late it is.
        "FAULTS_CLOCK_SECONDS": str(
            number * (CLOCK_OFF_SECONDS if role == PUBLISHER else -CLOCK_OFF_SECONDS)
        ),
    }
    return Service(f"tests.faults.{role}", f"{role}-{number}", environment, folder / f"{role}-{number}.log")

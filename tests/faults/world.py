"""The campaign's small world: two servers, two of each service, and a load."""

import asyncio
import random
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from asyncpg import PostgresError
from redis.asyncio import Redis
from redis.exceptions import RedisError
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.database.engine import create_engine
from shared.database.migrate import migrate
from shared.database.provision import ServiceDatabase, provision
from shared.embedded.ports import free_ports
from tests.faults.killable import Postgres, Service, Valkey
from tests.faults.oracle import Verdict, judge
from tests.faults.rehearsal import LOAD_FLAG, PUBLISHER, READER, READER_TABLES, SENDER

Answer = TypeVar("Answer")

PUBLISHED = text("SELECT count(*) FROM events WHERE NOT (data->>'secret')::bool")
HEAD = text("SELECT count(*) FROM events")
SEEN = text("SELECT count(*) FROM seen")
CHECKPOINT = text("SELECT coalesce(min(position), 0) FROM checkpoints")
UNDONE = text("SELECT count(*) FROM work WHERE state <> 'done'")
PATIENCE_SECONDS = 60.0
CLOCK_OFF_SECONDS = 300


@dataclass(frozen=True, slots=True)
class World:
    folder: Path
    rng: random.Random
    partitions: int
    postgres: Postgres
    valkey: Valkey
    redis: Redis
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
        except (DBAPIError, PostgresError, OSError):
            if time.monotonic() > until:
                raise
            await asyncio.sleep(0.2)


async def ask_bus(question: Callable[[], Awaitable[Answer]]) -> Answer:
    """An answer from a bus that may be away."""
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return await question()
        except (RedisError, OSError):
            if time.monotonic() > until:
                raise
            await asyncio.sleep(0.1)


@asynccontextmanager
async def running_world(seed: str, partitions: int) -> AsyncIterator[World]:
    """Everything up, the load on. The folder with the logs is kept when something goes wrong."""
    folder = _new_folder()
    rng = random.Random(seed)
    async with AsyncExitStack() as stack:
        postgres = Postgres.new(folder / "postgres")
        postgres.start()
        stack.callback(postgres.kill)
        valkey = Valkey(folder / "valkey")
        valkey.start()
        stack.callback(valkey.kill)
        databases = {
            name: await provision(postgres.admin_url, name, name, "") for name in (PUBLISHER, READER)
        }
        for name, database in databases.items():
            await migrate(name, database.owner_url)
        await _create_tables(databases[READER])
        redis: Redis = Redis.from_url(valkey.url)
        stack.push_async_callback(redis.aclose)
        engines = {n: create_engine(d.service_url, pool_size=2) for n, d in databases.items()}
        for engine in engines.values():
            stack.push_async_callback(engine.dispose)
        (port,) = free_ports(1)
        publishers = [
            _service(PUBLISHER, n, databases[PUBLISHER], folder, valkey, partitions, port + n, port)
            for n in range(2)
        ]
        readers = [
            _service(READER, n, databases[READER], folder, valkey, partitions, 0, port) for n in range(2)
        ]
        senders = [
            _service(SENDER, n, databases[READER], folder, valkey, partitions, 0, port) for n in range(2)
        ]
        for service in (*publishers, *readers, *senders):
            stack.callback(service.stop)
            service.start()
        world = World(
            *(folder, rng, partitions, postgres, valkey, redis),
            *(engines[PUBLISHER], engines[READER], publishers, readers, senders),
        )
        world.set_flag(LOAD_FLAG, True)
        await world._until(lambda: world._at_least(100), "the world did not come up")
        yield world
    shutil.rmtree(folder)


def _new_folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="check-data-faults-"))
    folder.chmod(0o755)  # when run as root, Postgres runs as another user
    return folder


async def _create_tables(database: ServiceDatabase) -> None:
    owner = create_engine(database.owner_url, pool_size=1)
    async with owner.begin() as connection:
        for statement in READER_TABLES:
            await connection.execute(text(statement))
    await owner.dispose()


def _service(
    role: str,
    number: int,
    database: ServiceDatabase,
    folder: Path,
    valkey: Valkey,
    partitions: int,
    port: int,
    feed_port: int,
) -> Service:
    environment = {
        "CHECK_DATA_DATABASE_URL": database.service_url,
        "CHECK_DATA_REDIS_URL": valkey.url,
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

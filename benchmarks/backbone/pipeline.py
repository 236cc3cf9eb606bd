"""Our relay and projection, running; and the question how far they are."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final
from uuid import uuid4

import asyncpg
from faststream.redis import RedisBroker
from redis.asyncio import Redis

from benchmarks.backbone.world import CODEC, PUBLICATION, Registered, Rows, now, streams
from shared.bus.projection import ProjectionRunner
from shared.bus.publication import PublishedPage, read_published
from shared.bus.relay import Relay, RelaySettings
from shared.database.bell import Bell
from shared.database.engine import create_engine
from shared.event_store import EventStore, NewEvents
from shared.tasks import stop_tasks

BATCH: Final = 500
"""As in production (relay_batch, projection_batch)."""
MAX_LENGTH: Final = 100_000
POLL_SECONDS: Final = 0.5
SETTLING_SECONDS: Final = 0.3


class LocalFeed:
    """The publisher's feed without HTTP between."""

    def __init__(self, store: EventStore[Registered]) -> None:
        self._store = store

    async def read(self, after: int, limit: int, partition: int, of: int) -> PublishedPage:
        return await read_published(self._store, PUBLICATION, after, limit, partition, of)


@dataclass(frozen=True, slots=True)
class Pipeline:
    """One service that publishes and reads its own events: a store, a bus, one projection."""

    store: EventStore[Registered]
    bell: Bell
    relay: Relay[Registered]
    runner: ProjectionRunner
    watch: asyncpg.Connection

    async def append(self, events: int, batch: int = 1000) -> None:
        """So many events, `batch` in a transaction."""
        for start in range(0, events, batch):
            new = [NewEvents(*of_stream) for of_stream in streams(min(batch, events - start))]
            async with self.store.transaction() as transaction:
                await transaction.append_all(new, actor=None)

    async def position(self) -> int:
        """Up to where the events are in the rows, by what others see of the database."""
        return await self.watch.fetchval("SELECT coalesce(max(position), 0) FROM checkpoints") or 0

    async def reaches(self, position: int, look_every: float = 0.01) -> None:
        while await self.position() < position:
            await asyncio.sleep(look_every)

    async def seconds_to_rows(self, events: int) -> float:
        """From the moment the relay starts, with so many events in the store, until all are in the rows."""
        async with running(self.bell.run, self.runner.run):
            await asyncio.sleep(SETTLING_SECONDS)  # the reader follows the bus by then
            started = time.perf_counter()
            async with running(self.relay.run):
                await self.reaches(events)
                return time.perf_counter() - started


@asynccontextmanager
async def open_pipeline(database_url: str, redis_url: str, batch: int = BATCH) -> AsyncIterator[Pipeline]:
    """batch: of the reader; the relay's stays as it is. The bus must be empty."""
    engine = create_engine(database_url)
    redis: Redis = Redis.from_url(redis_url)
    broker = RedisBroker(redis_url, logger=logging.getLogger("faststream"), log_level=logging.DEBUG)
    bell = Bell(engine, f"bench_{uuid4().hex}")
    store = EventStore(engine, CODEC, now, bell.ring)
    settings = RelaySettings(1, BATCH, POLL_SECONDS, MAX_LENGTH)
    relay = Relay(store, PUBLICATION, redis, bell, settings)
    runner = ProjectionRunner(
        Rows(), engine, broker, LocalFeed(store), partition=0, partitions=1, batch=batch
    )
    watch = await asyncpg.connect(database_url)
    try:
        yield Pipeline(store, bell, relay, runner, watch)
    finally:
        await watch.close()
        await broker.stop()
        await redis.aclose()
        await engine.dispose()


@asynccontextmanager
async def running(*runs: Callable[[], Coroutine[Any, Any, None]]) -> AsyncIterator[None]:
    """Raises what one of them raised: a benchmark of something broken must not look like one."""
    tasks = [asyncio.create_task(run()) for run in runs]
    try:
        yield
    finally:
        failed = [e for t in tasks if t.done() and not t.cancelled() and (e := t.exception())]
        await stop_tasks(tasks)
        if failed:
            raise failed[0]

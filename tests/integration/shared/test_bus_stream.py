"""A bus stream takes entries behind its known end only, as a whole; and forgets what is old."""

from datetime import timedelta
from typing import Any

import pytest
from redis.asyncio import Redis
from redis.exceptions import ResponseError
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.bus.publication import bus_stream
from shared.bus.relay import Relay, RelaySettings
from shared.bus.stream import BusStream
from shared.database.bell import Bell
from shared.database.engine import create_engine
from shared.database.provision import ServiceDatabase
from shared.event_store import EventStore
from shared.event_store.numbering import Numberer
from tests.integration.shared.test_bus import PUBLICATION, Counted, eventually, running
from tests.integration.shared.test_relay_takeover import append, store_of


def entries(*positions: int) -> list[tuple[int, bytes]]:
    return [(position, b"%d" % position) for position in positions]


async def positions_on(redis: Redis, key: str = "stream") -> list[int]:
    found: Any = await redis.xrange(key)
    return [int(id_.split(b"-")[0]) for id_, _ in found]


async def test_entries_go_behind_the_known_end(redis: Redis) -> None:
    stream = BusStream(redis, "stream")
    assert await stream.last() == 0
    assert await stream.add(0, entries(3, 4)) == 0
    assert await stream.add(4, entries(9)) == 4
    assert await stream.last() == 9
    assert await positions_on(redis) == [3, 4, 9]


async def test_who_was_overtaken_adds_nothing_and_learns_where_it_ends(redis: Redis) -> None:
    stream = BusStream(redis, "stream")
    await stream.add(0, entries(1, 2))
    assert await stream.add(1, entries(2, 3)) == 2
    await redis.flushdb()
    assert await stream.add(2, entries(3)) == 0
    assert await positions_on(redis) == []


async def test_a_batch_is_there_as_a_whole_or_not_at_all(redis: Redis) -> None:
    stream = BusStream(redis, "stream")
    await redis.set("stream", "of another kind")
    with pytest.raises(ResponseError):
        await stream.add(0, entries(1))
    await redis.delete("stream")
    await stream.add(0, entries(*range(1, 5001)))
    assert await positions_on(redis) == list(range(1, 5001))


async def test_its_end_is_known_when_all_is_trimmed_and_when_the_script_is_forgotten(redis: Redis) -> None:
    stream = BusStream(redis, "stream")
    await stream.add(0, entries(1, 2, 3))
    await redis.xtrim("stream", maxlen=0, approximate=False)
    await redis.script_flush()
    assert await stream.last() == 3


async def test_trimming_goes_by_length_and_by_position(redis: Redis) -> None:
    stream = BusStream(redis, "stream")
    await stream.add(0, entries(*range(1, 30_001)))
    await stream.trim(max_length=25_000, up_to=0)
    assert 25_000 <= await redis.xlen("stream") < 25_200
    await stream.trim(max_length=25_000, up_to=29_000)
    assert 1_000 <= await redis.xlen("stream") < 1_200
    assert (await positions_on(redis))[-1] == 30_000


async def test_the_place_in_the_log_of_an_age(engine: AsyncEngine, plain_database: ServiceDatabase) -> None:
    store = store_of(engine)
    hour = timedelta(hours=1)
    assert await store.position_before(hour) == 0
    await _aged(store, plain_database, [300, 200, 100, 90, 30, 20, 1])
    assert await store.position_before(timedelta(minutes=400)) == 0
    assert await store.position_before(timedelta(minutes=250)) == 1
    assert await store.position_before(hour) == 4
    assert await store.position_before(timedelta(seconds=1)) == 7


async def test_the_relay_does_not_publish_what_is_too_old_for_the_bus_and_forgets_it(
    engine: AsyncEngine, plain_database: ServiceDatabase, redis: Redis
) -> None:
    store = store_of(engine)
    await _aged(store, plain_database, [300] * 500 + [5] * 20)
    stream = bus_stream(PUBLICATION.name, 0)
    async with running(_relay(engine, redis, timedelta(days=1)).run):
        await eventually(lambda: _length_is(redis, stream, 520))
    async with running(_relay(engine, redis, timedelta(hours=1)).run):
        await eventually(lambda: _is_shorter(redis, stream, 200))  # Redis forgets a hundred at a time
    await redis.flushdb()
    async with running(_relay(engine, redis, timedelta(hours=1)).run):
        await eventually(lambda: _length_is(redis, stream, 20))
    assert await positions_on(redis, stream) == list(range(501, 521))


def _relay(engine: AsyncEngine, redis: Redis, max_age: timedelta) -> Relay[Counted]:
    settings = RelaySettings(
        partitions=1, batch=100, poll_seconds=0.1, max_length=10_000, max_age=max_age, trim_seconds=0.1
    )
    return Relay(store_of(engine), PUBLICATION, redis, Bell(engine, "test_events"), settings)


async def _aged(store: EventStore[Counted], database: ServiceDatabase, minutes: list[int]) -> None:
    """Events recorded so many minutes ago. Only the owner of the table can say so."""
    await append(store, 1, len(minutes))
    async with store.engine.begin() as connection:
        await Numberer(len(minutes)).number(connection)
    owner = create_engine(database.owner_url, pool_size=1)
    async with owner.begin() as connection:
        await connection.execute(text("ALTER TABLE events DISABLE TRIGGER ALL"))
        await connection.execute(
            text("""
                UPDATE events SET recorded_at = now() - make_interval(mins => n.minutes)
                FROM unnest(CAST(:minutes AS int[])) WITH ORDINALITY AS n (minutes, version)
                WHERE events.version = n.version
            """),
            {"minutes": minutes},
        )
    await owner.dispose()


async def _length_is(redis: Redis, stream: str, length: int) -> bool:
    return int(await redis.xlen(stream)) == length


async def _is_shorter(redis: Redis, stream: str, length: int) -> bool:
    return int(await redis.xlen(stream)) < length

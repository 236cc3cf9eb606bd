"""From the publisher's store to the reader's rows: nothing lost, nothing twice, whatever Redis does."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import ClassVar

import httpx
import pytest
from faststream.redis import RedisBroker
from sqlalchemy import Table, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.bus import projection
from shared.bus.client import Client, open_broker, open_client
from shared.bus.parking import list_parked
from shared.bus.projection import ProjectionRunner
from shared.bus.publication import Publication, PublishedPage, bus_stream, read_published
from shared.bus.relay import Relay, RelaySettings
from shared.bus.stream import BusStream
from shared.contracts.envelope import CloudEvent, EventRefused, PublishedEvent
from shared.database.bell import Bell
from shared.database.engine import create_engine
from shared.database.provision import ServiceDatabase
from shared.event_store import ANY, Codec, EventStore
from shared.event_store.numbering import Numberer
from tests.servers import Servers
from tests.valkey_cluster import ValkeyCluster


@dataclass(frozen=True)
class Counted:
    subject: str
    number: int
    secret: bool = False


class CountedV1(PublishedEvent):
    type: ClassVar[str] = "test.counted.v1"
    subject_field: ClassVar[str] = "name"
    name: str
    number: int


def publish(event: Counted) -> PublishedEvent | None:
    return None if event.secret else CountedV1(name=event.subject, number=event.number)


PUBLICATION: Publication[Counted] = Publication("test", "/test", publish)


class Rows:
    """A projection that counts how often each event was applied."""

    name = "rows"
    publisher = "test"
    tables: tuple[Table, ...] = ()

    async def apply(self, connection: AsyncConnection, events: Sequence[CloudEvent]) -> None:
        for event in events:
            number = event.data["number"]
            if number == 13:
                raise EventRefused("thirteen is not a number we take")
            await connection.execute(
                text("INSERT INTO seen (subject, number) VALUES (:s, :n)"), {"s": event.subject, "n": number}
            )


class LocalFeed:
    """The publisher's feed without HTTP between; can be away."""

    def __init__(self, store: EventStore[Counted]) -> None:
        self._store = store
        self.away = False

    async def read(self, after: int, limit: int, partition: int, of: int) -> PublishedPage:
        if self.away:
            raise httpx.ConnectError("away")
        return await read_published(self._store, PUBLICATION, after, limit, partition, of)


class Bus:
    def __init__(self, engine: AsyncEngine, redis: Client, broker: RedisBroker, partitions: int) -> None:
        self.engine = engine
        self.redis = redis
        self.partitions = partitions
        self.bell = Bell(engine, "test_events")
        codec: Codec[Counted] = Codec({"Counted": Counted})
        self.store = EventStore(engine, codec, lambda: datetime.now(UTC), self.bell.ring)
        self.broker = broker
        self.feed = LocalFeed(self.store)

    async def append(self, *events: Counted) -> None:
        for event in events:
            await self.store.append(event.subject, [event], expected=ANY, actor=None)

    @asynccontextmanager
    async def relaying(self) -> AsyncIterator[None]:
        relay = Relay(
            self.store,
            PUBLICATION,
            self.redis,
            self.bell,
            RelaySettings(self.partitions, batch=50, poll_seconds=0.2, max_length=1000),
        )
        async with running(relay.run):
            yield

    @asynccontextmanager
    async def projecting(self) -> AsyncIterator[None]:
        runners = [
            ProjectionRunner(
                Rows(),
                self.engine,
                self.broker,
                self.feed,
                partition=partition,
                partitions=self.partitions,
                batch=50,
            )
            for partition in range(self.partitions)
        ]
        async with running(*(runner.run for runner in runners)):
            yield

    async def rows(self) -> list[tuple[str, int]]:
        async with self.engine.connect() as connection:
            rows = await connection.execute(text("SELECT subject, number FROM seen ORDER BY id"))
            return [(row.subject, row.number) for row in rows]

    async def has_rows(self, count: int, seconds: float = 60) -> None:
        await eventually(lambda: self._count_is(count), seconds)

    async def _count_is(self, count: int) -> bool:
        return len(await self.rows()) >= count


@asynccontextmanager
async def running(*runs: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    tasks = [asyncio.ensure_future(run()) for run in runs]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        for result in await asyncio.gather(*tasks, return_exceptions=True):
            assert isinstance(result, asyncio.CancelledError), result


async def eventually(condition: Callable[[], Awaitable[bool]], seconds: float = 60) -> None:
    async with asyncio.timeout(seconds):
        while not await condition():
            await asyncio.sleep(0.05)


@asynccontextmanager
async def opened_bus(engine: AsyncEngine, redis_url: str, partitions: int) -> AsyncIterator[Bus]:
    async with aclosing(open_client(redis_url)) as redis:
        broker = open_broker(redis_url)
        try:
            yield Bus(engine, redis, broker, partitions)
        finally:
            await broker.stop()


async def create_seen(database: ServiceDatabase) -> None:
    owner = create_engine(database.owner_url)
    async with owner.begin() as connection:
        await connection.execute(
            text(
                "CREATE TABLE seen (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, subject text,"
                " number int, UNIQUE (subject, number))"
            )
        )
        await connection.execute(text("GRANT SELECT, INSERT ON seen TO plain_service"))
    await owner.dispose()


@dataclass(frozen=True)
class Kind:
    url: str
    partitions: int


@pytest.fixture(params=["1 partition", "4 partitions on a cluster"])
def kind(request: pytest.FixtureRequest, servers: Servers) -> Kind:
    """Four on one server are walked by test_backbone_model, and by the faults' campaign."""
    partitions = int(request.param[0])
    if request.param.endswith("cluster"):
        cluster: ValkeyCluster = request.getfixturevalue("valkey_cluster")
        return Kind(cluster.url, partitions)
    return Kind(servers.new_redis_url(), partitions)


@pytest.fixture
async def bus(kind: Kind, engine: AsyncEngine, plain_database: ServiceDatabase) -> AsyncIterator[Bus]:
    await create_seen(plain_database)
    async with opened_bus(engine, kind.url, kind.partitions) as bus:
        yield bus


def counted(start: int, count: int, subjects: int = 7) -> list[Counted]:
    return [Counted(f"subject-{n % subjects}", n + 1000) for n in range(start, start + count)]


def pairs(events: list[Counted]) -> set[tuple[str, int]]:
    return {(e.subject, e.number) for e in events}


async def test_events_become_rows_once_and_in_order_within_a_subject(bus: Bus) -> None:
    events = counted(0, 60)
    async with bus.relaying(), bus.projecting():
        await bus.append(*events)
        await bus.has_rows(60)
    rows = await bus.rows()
    assert set(rows) == pairs(events)
    for subject in {e.subject for e in events}:
        numbers = [n for s, n in rows if s == subject]
        assert numbers == sorted(numbers)


async def test_what_is_private_stays_at_home(bus: Bus) -> None:
    async with bus.relaying(), bus.projecting():
        await bus.append(Counted("a", 1), Counted("a", 2, secret=True), Counted("a", 3))
        await bus.has_rows(2)
    assert await bus.rows() == [("a", 1), ("a", 3)]


async def test_flushing_redis_loses_nothing_and_repeats_nothing(bus: Bus) -> None:
    async with bus.relaying(), bus.projecting():
        await bus.append(*counted(0, 20))
        await bus.has_rows(20)
        await bus.redis.flushdb()
        await bus.append(*counted(20, 20))
        await bus.has_rows(40)
    assert set(await bus.rows()) == pairs(counted(0, 40))


async def test_the_bus_is_filled_again_after_a_flush(bus: Bus) -> None:
    async with bus.relaying():
        await bus.append(*counted(0, 20))
        await eventually(lambda: entries_are(bus, 20))
        await bus.redis.flushdb()
        await eventually(lambda: entries_are(bus, 20))


async def entries_are(bus: Bus, count: int) -> bool:
    lengths = [await bus.redis.xlen(bus_stream("test", p)) for p in range(bus.partitions)]
    return sum(lengths) == count


async def test_a_reader_that_the_bus_cannot_serve_reads_the_feed(bus: Bus) -> None:
    async with bus.relaying():
        await bus.append(*counted(0, 30))
        await eventually(lambda: entries_are(bus, 30))
        for partition in range(bus.partitions):
            await bus.redis.xtrim(bus_stream("test", partition), maxlen=1, approximate=False)
        async with bus.projecting():
            await bus.append(*counted(30, 1))
            await bus.has_rows(31)
    assert set(await bus.rows()) == pairs(counted(0, 31))


async def test_a_hole_on_the_bus_waits_until_the_feed_fills_it(bus: Bus) -> None:
    async with bus.relaying(), bus.projecting():
        await bus.append(Counted("a", 1))
        await bus.has_rows(1)
    async with bus.relaying():
        await bus.append(Counted("a", 2))
        await eventually(lambda: entries_are(bus, 2))
        for partition in range(bus.partitions):
            await bus.redis.xdel(bus_stream("test", partition), "2-0")
        async with bus.projecting():
            await bus.append(Counted("a", 3))
            await bus.has_rows(3)
    assert await bus.rows() == [("a", 1), ("a", 2), ("a", 3)]


async def test_nothing_is_applied_past_a_hole_while_the_feed_is_away(bus: Bus) -> None:
    async with bus.relaying():
        await bus.append(*(Counted("a", n) for n in range(1, 8)))
        await eventually(lambda: entries_are(bus, 7))
        for partition in range(bus.partitions):
            await bus.redis.xdel(bus_stream("test", partition), "2-0", "5-0")
        bus.feed.away = True
        async with bus.projecting():
            await bus.has_rows(1)
            await bus.append(Counted("a", 8))
            await asyncio.sleep(2.5)
            assert await bus.rows() == [("a", 1)]
            bus.feed.away = False
            await bus.has_rows(8)
    assert await bus.rows() == [("a", n) for n in range(1, 9)]


async def test_a_bad_event_is_parked_with_what_follows_of_its_subject_and_the_rest_goes_on(bus: Bus) -> None:
    async with bus.relaying(), bus.projecting():
        await bus.append(
            Counted("bad", 1), Counted("bad", 13), Counted("bad", 2), Counted("good", 1), Counted("good", 2)
        )
        await bus.has_rows(3)
        await bus.append(Counted("bad", 3), Counted("good", 3))
        await bus.has_rows(4)
        await eventually(lambda: parked_are(bus, 3))
    assert set(await bus.rows()) == {("bad", 1), ("good", 1), ("good", 2), ("good", 3)}
    async with bus.engine.connect() as connection:
        parked = await list_parked(connection, "rows")
    assert [p.event["data"]["number"] for p in parked] == [13, 2, 3]
    assert "thirteen is not a number we take" in parked[0].reason


async def parked_are(bus: Bus, count: int) -> bool:
    async with bus.engine.connect() as connection:
        return len(await list_parked(connection)) == count


async def test_two_projections_of_one_name_apply_each_event_once(bus: Bus) -> None:
    async with bus.relaying(), bus.projecting(), bus.projecting():
        await bus.append(*counted(0, 30))
        await bus.has_rows(30)
        await asyncio.sleep(0.3)
    assert set(await bus.rows()) == pairs(counted(0, 30))


@pytest.mark.parametrize("where", ["*", "{last}-7"])
async def test_what_somebody_else_writes_to_the_bus_does_not_silence_it(
    bus: Bus, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Redis takes no entry before the last one, and a reader asks for none before the last that it saw."""
    monkeypatch.setattr(projection, "IDLE_SECONDS", 0.3)
    keys = [bus_stream("test", partition) for partition in range(bus.partitions)]
    async with bus.relaying(), bus.projecting():
        await bus.append(*counted(0, 40))
        await bus.has_rows(40)
        for key in keys:
            last = await BusStream(bus.redis, key).last()
            await bus.redis.xadd(key, {"of": "somebody else"}, id=where.format(last=last))
        await bus.append(*counted(40, 40))
        await bus.has_rows(80)
        await eventually(lambda: entries_are(bus, 80), seconds=10)
        await asyncio.sleep(1)
        bus.feed.away = True
        await bus.append(*counted(80, 40))
        await bus.has_rows(120, seconds=10)
    assert sorted(await bus.rows()) == sorted(pairs(counted(0, 120)))


async def test_a_reader_led_astray_comes_back_also_when_the_feed_had_told_it_all_by_then(
    bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the feed brings when a stranger's entry is read is no news at the next silence."""
    monkeypatch.setattr(projection, "IDLE_SECONDS", 0.5)
    keys = [bus_stream("test", partition) for partition in range(bus.partitions)]
    async with bus.relaying():
        await bus.append(*counted(0, 40))
        await eventually(lambda: entries_are(bus, 40))
    async with bus.projecting():
        await bus.has_rows(40)
        await bus.append(*counted(40, 40))
        async with bus.engine.begin() as connection:
            await Numberer(100).number(connection)
        for key in keys:
            await bus.redis.xadd(key, {"of": "somebody else"})
        await bus.has_rows(80)
        async with bus.relaying():
            await eventually(lambda: entries_are(bus, 80))
            bus.feed.away = True
            await bus.append(*counted(80, 40))
            await bus.has_rows(120, seconds=10)
    assert sorted(await bus.rows()) == sorted(pairs(counted(0, 120)))


async def test_events_reach_the_reader_by_the_feed_while_redis_is_away(bus: Bus) -> None:
    """Without a relay nothing is on the bus; the numbers are given by another one that cannot publish."""
    async with bus.projecting():
        await bus.append(*counted(0, 5))
        async with bus.engine.begin() as connection:
            await Numberer(100).number(connection)
        await bus.has_rows(5)

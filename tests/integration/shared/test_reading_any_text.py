"""JSON carries characters that Postgres does not keep. Such an event is parked whole; others go on."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from faststream.redis import RedisBroker
from redis.asyncio import Redis
from sqlalchemy import Table, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.bus.feed import FEED_PAGE
from shared.bus.parking import Parked, list_parked, park
from shared.bus.projection import ProjectionRunner
from shared.bus.publication import PublishedPage, bus_stream
from shared.bus.stream import BODY
from shared.contracts.envelope import CloudEvent, from_json
from shared.database.engine import create_engine
from shared.database.provision import ServiceDatabase
from tests.integration.shared.test_bus import eventually, running

NUL, HALF = "Torn\x00Text", "Torn\ud800Text"


def an_event(position: int, **other: Any) -> CloudEvent:
    return CloudEvent.model_validate(
        {
            "id": f"event-{position}",
            "source": "/test",
            "type": "test.named.v1",
            "subject": f"subject-{position}",
            "time": datetime(2026, 3, 1, tzinfo=UTC),
            "sequence": str(position),
            "previous": str(position - 1),
            "data": {"name": f"Name {position}"},
            **other,
        }
    )


def as_json(event: CloudEvent) -> bytes:
    """As a publisher of another make may write it: its own library escapes what is not ASCII."""
    return json.dumps(event.model_dump(mode="json", exclude_none=True)).encode()


async def park_one(engine: AsyncEngine, event: CloudEvent, *, projection: str = "names") -> None:
    async with engine.begin() as connection:
        await park(connection, projection, event, "a reason", event.position)


class Names:
    name = "names"
    publisher = "test"
    tables: Sequence[Table] = ()

    async def apply(self, connection: AsyncConnection, events: Sequence[CloudEvent]) -> None:
        for event in events:
            await connection.execute(text("INSERT INTO named VALUES (:name)"), {"name": event.data["name"]})


class JsonFeed:
    """A feed that answers these events as JSON, as one over HTTP does."""

    def __init__(self, *events: CloudEvent) -> None:
        self.events = events

    async def read(self, after: int, limit: int, partition: int, of: int) -> PublishedPage:
        fresh = [event for event in self.events if event.position > after]
        up_to = fresh[-1].position if fresh else after
        told = b",".join(map(as_json, fresh))
        page = from_json(FEED_PAGE, b'{"events": [%s], "up_to": %d}' % (told, up_to))
        return PublishedPage(page.events, page.up_to)


@pytest.fixture
async def named(engine: AsyncEngine, plain_database: ServiceDatabase) -> AsyncEngine:
    owner = create_engine(plain_database.owner_url)
    async with owner.begin() as connection:
        await connection.execute(text("CREATE TABLE named (name text)"))
        await connection.execute(text("GRANT SELECT, INSERT ON named TO plain_service"))
    await owner.dispose()
    return engine


async def names(engine: AsyncEngine) -> list[str]:
    async with engine.connect() as connection:
        return list((await connection.scalars(text("SELECT name FROM named ORDER BY name"))).all())


async def parked(engine: AsyncEngine) -> list[Parked]:
    async with engine.connect() as connection:
        return list(await list_parked(connection, "names"))


@pytest.mark.parametrize(
    ("bad", "subject"),
    [
        ({"data": {"name": NUL}}, "subject-2"),
        ({"data": {"name": HALF}}, "subject-2"),
        ({"data": {"name": NUL}, "subject": "a\x00b", "type": "a\x00b"}, "a\ufffdb"),
    ],
    ids=["NUL", "half a character", "NUL in subject and type"],
)
@pytest.mark.parametrize("by_bus", [True, False], ids=["by the bus", "by the feed"])
async def test_what_postgres_cannot_keep_is_parked_whole_and_the_rest_goes_on(
    named: AsyncEngine, redis: Redis, redis_url: str, bad: dict[str, Any], subject: str, by_bus: bool
) -> None:
    events = [an_event(1), an_event(2, **bad), an_event(3), an_event(4, **{**bad, "data": {"name": "Later"}})]
    behind = "subject" in bad
    if by_bus:
        for event in events:
            await redis.xadd(bus_stream("test", 0), {BODY: as_json(event)}, id=f"{event.position}-0")
    feed = JsonFeed() if by_bus else JsonFeed(*events)
    broker = RedisBroker(redis_url)
    runner = ProjectionRunner(Names(), named, broker, feed, partition=0, partitions=1, batch=50)

    async def all_are_there() -> bool:
        return len(await names(named)) + len(await parked(named)) == 4

    async with running(runner.run):
        await eventually(all_are_there, seconds=20)
    await broker.stop()
    waiting = await parked(named)
    assert await names(named) == (["Name 1", "Name 3"] if behind else ["Later", "Name 1", "Name 3"])
    assert waiting[0].subject == subject
    assert waiting[0].event == events[1].model_dump(mode="json", exclude_none=True), "not one character less"
    assert waiting[0].reason.startswith("the database refused it: ")
    assert "Torn" not in waiting[0].reason
    assert len(waiting) == (2 if behind else 1)

"""How many partitions the bus has is a setting, and nothing in the rows depends on it."""

from collections.abc import AsyncIterator
from datetime import date
from typing import Any

import pytest
from redis.asyncio import Redis

from services.manage_ects.domain.history import history
from services.manage_ects.publishing import CODEC, PUBLICATION
from shared.bus.publication import bus_stream
from shared.bus.relay import Relay, RelaySettings
from shared.clock import system_clock
from shared.contracts.envelope import PublishedEvent
from shared.database.bell import Bell
from shared.database.engine import create_engine
from shared.event_store import ANY, EventStore
from tests.conftest import NewDatabase
from tests.integration.participants.conftest import MovingClock, serving
from tests.integration.participants.test_receiving import read_model
from tests.integration.shared.test_bus import running
from tests.servers import Servers

PARTICIPANTS = 60
LOG = "SELECT event_id, subject, type, time, data::text FROM received_events ORDER BY event_id"


@pytest.fixture
async def manage_ects(new_database: NewDatabase) -> AsyncIterator[EventStore[PublishedEvent]]:
    """A log with a made-up history in it."""
    database = await new_database("manage_ects")
    engine = create_engine(database.service_url)
    store = EventStore(engine, CODEC, system_clock)
    async with store.transaction() as transaction:
        for one in history(1, PARTICIPANTS, date(2026, 3, 2)):
            await transaction.append(one.event.subject, [one.event], expected=ANY, actor=None)
    yield store
    await engine.dispose()


async def test_four_partitions_give_the_rows_of_one(
    manage_ects: EventStore[PublishedEvent], new_database: NewDatabase, servers: Servers
) -> None:
    one = await followed(manage_ects, 1, new_database, servers.new_redis_url())
    four = await followed(manage_ects, 4, new_database, servers.new_redis_url())
    assert all(one), "the comparison must compare something"
    assert four == one


async def followed(
    store: EventStore[PublishedEvent], partitions: int, new_database: NewDatabase, redis_url: str
) -> list[list[tuple[Any, ...]]]:
    """The log and the read models of a service that followed the store over so many partitions."""
    redis: Redis = Redis.from_url(redis_url)
    relay = Relay(
        store,
        PUBLICATION,
        redis,
        Bell(store.engine, "events"),
        RelaySettings(partitions, batch=500, poll_seconds=0.2, max_length=100_000),
    )
    async with (
        running(relay.run),
        serving(await new_database("participants"), redis_url, MovingClock(), partitions) as service,
    ):
        async with store.engine.connect() as connection:
            told = await connection.exec_driver_sql("SELECT count(*) FROM events")
            await service.becomes("SELECT count(*) FROM received_events", told.scalar_one(), seconds=60)
        await service.is_up_to_date(seconds=60)
        used = [await redis.xlen(bus_stream("manage_ects", partition)) for partition in range(partitions)]
        assert all(used), "each partition must have carried something"
        await redis.aclose()
        return [await service.rows(LOG), *await read_model(service)]

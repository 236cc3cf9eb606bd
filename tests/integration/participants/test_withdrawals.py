"""A token that was given out before the access ended is refused, in the service itself, at once."""

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import orjson
import pytest
from redis.asyncio import Redis

from shared.bus.publication import bus_stream
from shared.bus.stream import BusStream
from shared.contracts.roles import Role
from shared.database.provision import ServiceDatabase
from tests.integration.participants.conftest import MovingClock, Participants, serving

NORTH = uuid4()


@pytest.fixture
async def service(database: ServiceDatabase, redis_url: str) -> AsyncIterator[Participants]:
    async with serving(database, redis_url, MovingClock(), partitions=2) as served:
        yield served


class Access:
    """What access tells on the bus, in one of its two streams."""

    def __init__(self, redis: Redis) -> None:
        self.redis = redis
        self.key = bus_stream("access", 1)

    async def tells(self, what: str, person: UUID, ago: timedelta = timedelta()) -> None:
        stream = BusStream(self.redis, self.key)
        last = await stream.last()
        grant = {"grant_id": uuid4(), "person_id": person, "role": Role.DELIVERY_PARTNER.value}
        document = {
            "specversion": "1.0",
            "id": str(uuid4()),
            "source": "/access",
            "type": f"access.grant-{what}.v1",
            "subject": str(person),
            "time": datetime.now(UTC) - ago,
            "data": {
                **grant,
                "organisation_id": NORTH,
                "reason": "no agreement covers it",
                "restored_by": uuid4(),
                "review_on": None,
            },
            "sequence": str(last + 1),
        }
        assert await stream.add(last, [(last + 1, orjson.dumps(document))]) == last


async def answers(service: Participants, status: int) -> float:
    """Seconds until it does."""
    started = time.perf_counter()
    async with asyncio.timeout(10):
        while (await service.get("/participants", NORTH)).status_code != status:
            await asyncio.sleep(0.02)
    return time.perf_counter() - started


async def test_a_suspension_is_heard_within_a_second_and_a_restoration_too(
    service: Participants, redis: Redis
) -> None:
    access = Access(redis)
    await answers(service, 200)
    await access.tells("suspended", service.person_id)
    assert await answers(service, 401) < 1
    await access.tells("restored", service.person_id)
    assert await answers(service, 200) < 1


async def test_what_happened_just_before_the_start_is_known_and_what_is_long_past_is_not(
    database: ServiceDatabase, redis_url: str, redis: Redis
) -> None:
    access = Access(redis)
    async with serving(database, redis_url, MovingClock(), partitions=2) as first:
        person = first.person_id
    await access.tells("suspended", person, ago=timedelta(hours=1))
    await access.tells("suspended", uuid4(), ago=timedelta(seconds=5))
    await access.tells("suspended", person, ago=timedelta(seconds=5))
    async with serving(database, redis_url, MovingClock(), partitions=2) as service:
        assert (await service.get("/participants", NORTH)).status_code == 200
        service.person_id = person
        assert await answers(service, 401) < 2


async def test_it_hears_again_when_the_bus_lost_everything_or_held_what_is_not_ours(
    service: Participants, redis: Redis
) -> None:
    access = Access(redis)
    await access.tells("restored", service.person_id)
    await redis.xadd(access.key, {"of": "somebody else"})
    await asyncio.sleep(0.1)
    await redis.delete(access.key)
    await access.tells("suspended", service.person_id)
    assert await answers(service, 401) < 5
    await redis.flushdb()
    await access.tells("restored", service.person_id)
    await access.tells("restored", service.person_id)
    assert await answers(service, 200) < 5

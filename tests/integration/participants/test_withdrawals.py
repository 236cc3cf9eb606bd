"""A token that was given out before the access ended is refused, in the service itself, at once."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
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
    """What access tells on the bus about grants."""

    def __init__(self, redis: Redis) -> None:
        self.redis = redis
        self.key = bus_stream("access", 1)

    async def tells(self, what: str, person: UUID, ago: timedelta = timedelta()) -> None:
        data = {
            "grant_id": uuid4(),
            "person_id": person,
            "role": Role.DELIVERY_PARTNER.value,
            "organisation_id": NORTH,
            "reason": "no agreement covers it",
            "restored_by": uuid4(),
            "review_on": None,
        }
        await tells(self.redis, "access", f"access.grant-{what}.v1", person, data, ago)


async def tells(
    redis: Redis,
    publisher: str,
    kind: str,
    person: UUID,
    data: Mapping[str, object],
    ago: timedelta = timedelta(),
) -> None:
    """The publisher tells this on the bus, in one of its two streams."""
    stream = BusStream(redis, bus_stream(publisher, 1))
    last = await stream.last()
    document = {
        "specversion": "1.0",
        "id": str(uuid4()),
        "source": f"/{publisher}",
        "type": kind,
        "subject": str(person),
        "time": datetime.now(UTC) - ago,
        "data": data,
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


async def test_the_end_of_a_session_is_heard_within_a_second(service: Participants, redis: Redis) -> None:
    service.session_id = uuid4()
    await answers(service, 200)
    ended = {
        "session_id": service.session_id,
        "person_id": service.person_id,
        "reason": "signed_out_by_staff",
    }
    await tells(redis, "auth", "auth.session-ended.v1", service.person_id, ended)
    assert await answers(service, 401) < 1
    refused = await service.get("/participants", NORTH)
    assert refused.json()["type"] == "urn:check-data:problem:access-has-ended"
    service.session_id = uuid4()
    await answers(service, 200)


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

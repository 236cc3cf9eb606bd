"""The evidence of docs/decisions/0003: a consumer group cannot tell what is still to do after a flush."""

from typing import Any

import pytest
from redis.asyncio import Redis
from redis.exceptions import ResponseError

STREAM, GROUP = "jobs", "senders"
DONE = [f"{number}-0" for number in range(1, 51)]
IN_HAND = [f"{number}-0" for number in range(51, 151)]
"""100 jobs that a worker has taken and not acknowledged."""


@pytest.fixture
async def flushed(redis: Redis) -> Redis:
    """50 jobs were done and 100 in hand when Redis lost everything. A relay has filled the stream again."""
    await fill(redis)
    await redis.xgroup_create(STREAM, GROUP, id="0")
    assert await delivered(redis) == DONE + IN_HAND
    assert await redis.xack(STREAM, GROUP, *DONE) == len(DONE)
    assert (await redis.xpending(STREAM, GROUP))["pending"] == len(IN_HAND)
    await redis.flushall()
    await fill(redis)
    return redis


async def fill(redis: Redis) -> None:
    for entry in DONE + IN_HAND:
        await redis.xadd(STREAM, {"job": entry}, id=entry)


async def delivered(redis: Redis) -> list[str]:
    """What the group gives a worker that asks for new entries."""
    answer: Any = await redis.xreadgroup(GROUP, "worker", {STREAM: ">"}, count=1000)
    return [entry.decode() for _, entries in answer for entry, _ in entries]


async def test_a_flush_takes_the_group_and_its_pending_entries_along(flushed: Redis) -> None:
    assert await flushed.xlen(STREAM) == len(DONE) + len(IN_HAND)
    with pytest.raises(ResponseError, match="NOGROUP"):
        await flushed.xpending(STREAM, GROUP)


async def test_a_group_made_anew_at_the_end_gives_none_of_them_back(flushed: Redis) -> None:
    await flushed.xgroup_create(STREAM, GROUP, id="$")
    assert await delivered(flushed) == []
    assert (await flushed.xpending(STREAM, GROUP))["pending"] == 0


async def test_a_group_made_anew_at_the_start_gives_back_what_was_done_as_well(flushed: Redis) -> None:
    await flushed.xgroup_create(STREAM, GROUP, id="0")
    assert await delivered(flushed) == DONE + IN_HAND

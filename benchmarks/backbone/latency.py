"""How long after an append its row is there for others to see."""

import asyncio
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import uuid4

from benchmarks.backbone.pipeline import SETTLING_SECONDS, Pipeline, open_pipeline, running
from benchmarks.backbone.world import World, registered
from shared.event_store import NewEvents

LOAD_BATCH = 50
LOOK_EVERY = 0.001
"""A probe's row is asked for so often: what is measured is at most this (and one SELECT) too long."""


@dataclass(frozen=True, slots=True)
class Latencies:
    """Milliseconds of each probe. capacity: events per second, appended and in the rows."""

    idle: list[float]
    half: list[float]
    capacity: float


async def measure(world: World, probes: int, events: int) -> Latencies:
    """Half load is half of what one process takes in and brings to rows, in batches of 50."""
    database = await world.new_database()
    await world.redis.flushall()
    async with (
        open_pipeline(database.service_url, world.redis_url) as pipeline,
        running(pipeline.bell.run, pipeline.runner.run, pipeline.relay.run),
    ):
        await asyncio.sleep(SETTLING_SECONDS)
        await _probe(pipeline, 10)
        idle = await _probe(pipeline, probes)
        before = await pipeline.store.last_position()
        started = time.perf_counter()
        await pipeline.append(events, LOAD_BATCH)
        await pipeline.reaches(before + events)
        capacity = events / (time.perf_counter() - started)
        async with _load(pipeline, capacity / 2):
            half = await _probe(pipeline, probes)
    await world.drop(database)
    return Latencies(idle, half, capacity)


async def _probe(pipeline: Pipeline, count: int) -> list[float]:
    """From before the append to after the first look that saw the row."""
    found = []
    for _ in range(count):
        subject = f"probe-{uuid4()}"
        started = time.perf_counter()
        async with pipeline.store.transaction() as transaction:
            await transaction.append_all([NewEvents(subject, 0, [registered(subject, 1)])], actor=None)
        while not await pipeline.watch.fetchval(
            "SELECT count(*) FROM participant_rows WHERE subject = $1", subject
        ):
            await asyncio.sleep(LOOK_EVERY)
        found.append(1000 * (time.perf_counter() - started))
        await asyncio.sleep(random.uniform(0.01, 0.05))  # not in step with any timer
    return found


@asynccontextmanager
async def _load(pipeline: Pipeline, rate: float) -> AsyncIterator[None]:
    """Appends so many events per second, in batches, as long as the block lasts."""

    async def append() -> None:
        due = time.perf_counter()
        while True:
            await pipeline.append(LOAD_BATCH, LOAD_BATCH)
            due += LOAD_BATCH / rate
            await asyncio.sleep(max(0.0, due - time.perf_counter()))

    async with running(append):
        await asyncio.sleep(SETTLING_SECONDS)
        yield

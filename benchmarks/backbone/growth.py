"""Whether the length of the log matters: to the memory of a projection, and to the cost of an event.

Each length has a process of its own, since a process does not give its peak back.
"""

import asyncio
import json
import logging
import resource
import statistics
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, fields

import structlog

from benchmarks.backbone.pipeline import Pipeline, open_pipeline
from benchmarks.backbone.world import World

LAST = 2_000
"""The cost of an append is measured over so many events on top of the log, as many again to warm up."""


@dataclass(frozen=True, slots=True)
class Growth:
    """memory: peak of the process, MiB. Costs in microseconds per event, by the clock."""

    events: int
    append_single: float
    append_batch: float
    to_rows: float
    memory: float


async def measure(world: World, lengths: list[int], runs: int) -> list[Growth]:
    """The lengths take turns, as sides do elsewhere."""
    turns = [[await _of_length(world, events) for events in lengths] for _ in range(runs)]
    return [_median(list(of_length)) for of_length in zip(*turns, strict=True)]


def _median(runs: list[Growth]) -> Growth:
    return Growth(**{f.name: statistics.median(getattr(run, f.name) for run in runs) for f in fields(Growth)})


async def _of_length(world: World, events: int) -> Growth:
    database = await world.new_database()
    await world.redis.flushall()
    arguments = [str(events), database.service_url, world.redis_url]
    child = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "benchmarks.backbone.growth", *arguments],
        check=True,
        stdout=subprocess.PIPE,
    )
    await world.drop(database)
    return Growth(**json.loads(child.stdout.splitlines()[-1]))


async def _in_child(events: int, database_url: str, redis_url: str) -> Growth:
    async with open_pipeline(database_url, redis_url) as pipeline:
        await pipeline.append(events - 2 * LAST)
        await _append_cost(pipeline, LAST, 100)
        batch = await _append_cost(pipeline, LAST, 100)
        seconds = await pipeline.seconds_to_rows(events)
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        single = await _append_cost(pipeline, LAST // 4, 1)
    return Growth(events, single, batch, 1e6 * seconds / events, memory)


async def _append_cost(pipeline: Pipeline, events: int, batch: int) -> float:
    started = time.perf_counter()
    await pipeline.append(events, batch)
    return 1e6 * (time.perf_counter() - started) / events


if __name__ == "__main__":
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    print(json.dumps(asdict(asyncio.run(_in_child(int(sys.argv[1]), *sys.argv[2:4])))))

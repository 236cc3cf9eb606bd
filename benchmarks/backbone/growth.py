"""Whether the length of the log matters: to the memory of a projection, and to the cost of an event.

Each length has a process of its own, since a process does not give its peak back. The bare INSERT and the
bare way to the rows are measured at the same lengths: what they cost more on a long log is Postgres' own.
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

import asyncpg
import structlog
from redis.asyncio import Redis
from sqlalchemy.engine import make_url

from benchmarks.backbone.appending import RAW_TABLE, Load, insert_raw
from benchmarks.backbone.pipeline import Pipeline, open_pipeline
from benchmarks.backbone.projecting import seconds_to_rows_raw
from benchmarks.backbone.world import World

LAST = 1_000
"""Appends on top of the log are measured so many at a time."""
BLOCKS = 9
"""So many times, ours and the bare INSERT in turns: the first to warm up, of the rest the median counts."""
FILL = 1_000
"""Events in one transaction while the log is made."""


@dataclass(frozen=True, slots=True)
class Growth:
    """memory: peak of the process, MiB. Costs in microseconds per event, by the clock."""

    events: int
    append_single: float
    append_batch: float
    append_batch_raw: float
    to_rows: float
    to_rows_raw: float
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
    admin_url = make_url(world.servers.postgres_admin_url).set(database=database.name)
    arguments = [
        str(events),
        admin_url.render_as_string(hide_password=False),
        database.service_url,
        world.redis_url,
    ]
    child = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "benchmarks.backbone.growth", *arguments],
        check=True,
        stdout=subprocess.PIPE,
    )
    await world.drop(database)
    return Growth(**json.loads(child.stdout.splitlines()[-1]))


async def _in_child(events: int, admin_url: str, service_url: str, redis_url: str) -> Growth:
    admin = await asyncpg.create_pool(admin_url, min_size=1, max_size=2)
    async with open_pipeline(service_url, redis_url) as pipeline:
        await _fill(pipeline, admin, events - BLOCKS * LAST)
        batch, batch_raw = await _append_costs(pipeline, admin)
        seconds = await pipeline.seconds_to_rows(events)
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        single = await _append_cost(pipeline, LAST // 2, 1)
        seconds_raw = await _to_rows_raw(admin, redis_url, events)
    await admin.close()
    return Growth(
        events, single, batch, batch_raw, 1e6 * seconds / events, 1e6 * seconds_raw / events, memory
    )


async def _fill(pipeline: Pipeline, admin: asyncpg.Pool, events: int) -> None:
    """Ours and the bare table, equally long; then what the server still has to write of it is written."""
    await admin.execute(RAW_TABLE)
    for start in range(0, events, FILL):
        count = min(FILL, events - start)
        await pipeline.append(count, FILL)
        await insert_raw(admin, Load("", writers=1, batch=FILL, events=count))()
    await admin.execute("CHECKPOINT")


async def _append_costs(pipeline: Pipeline, admin: asyncpg.Pool) -> tuple[float, float]:
    """Of ours, and of the bare INSERT."""
    ours, raw = [], []
    for _ in range(BLOCKS):
        ours.append(await _append_cost(pipeline, LAST, 100))
        write = insert_raw(admin, Load("", writers=1, batch=100, events=LAST))
        started = time.perf_counter()
        await write()
        raw.append(1e6 * (time.perf_counter() - started) / LAST)
    return statistics.median(ours[1:]), statistics.median(raw[1:])


async def _append_cost(pipeline: Pipeline, events: int, batch: int) -> float:
    started = time.perf_counter()
    await pipeline.append(events, batch)
    return 1e6 * (time.perf_counter() - started) / events


async def _to_rows_raw(admin: asyncpg.Pool, redis_url: str, events: int) -> float:
    """Seconds for the same log, on an emptied bus into emptied rows."""
    redis: Redis = Redis.from_url(redis_url)
    await redis.flushall()
    await admin.execute("TRUNCATE participant_rows")
    try:
        async with admin.acquire() as source, admin.acquire() as target:
            return await seconds_to_rows_raw(source, target, redis, events)
    finally:
        await redis.aclose()


if __name__ == "__main__":
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    print(json.dumps(asdict(asyncio.run(_in_child(int(sys.argv[1]), *sys.argv[2:5])))))

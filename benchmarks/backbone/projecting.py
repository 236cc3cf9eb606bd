"""From store to rows: ours, and the same way without our code."""

import asyncio
import time
from datetime import datetime
from typing import Any

import asyncpg
import orjson
from redis.asyncio import Redis

from benchmarks.backbone.pipeline import BATCH, open_pipeline
from benchmarks.backbone.world import UPSERT, World
from benchmarks.measuring import Measured, in_turns
from shared.database.provision import ServiceDatabase

OURS, RAW = "ours", "raw: SELECT, XADD, XREAD, upsert"
OURS_BY_ONE, RAW_BY_ONE = "ours, one transaction for each event", "raw, one transaction for each event"

KEY = "raw"
RAW_SELECT = "SELECT id, stream, data::text FROM events WHERE id > $1 ORDER BY id LIMIT $2"
RAW_UPSERT = UPSERT.format("$1", "$2", "$3", "$4")
FEWER = 10
"""One transaction for each event is measured with so many times fewer events."""


async def measure(world: World, events: int, repeats: int) -> Measured:
    """Events per second of each side, relay and reader in one process."""
    return await in_turns(
        {
            OURS: lambda: _ours(world, events, BATCH),
            RAW: lambda: _raw(world, events, BATCH),
            OURS_BY_ONE: lambda: _ours(world, events // FEWER, 1),
            RAW_BY_ONE: lambda: _raw(world, events // FEWER, 1),
        },
        repeats,
    )


async def _filled(world: World, events: int) -> ServiceDatabase:
    database = await world.new_database()
    async with open_pipeline(database.service_url, world.redis_url) as pipeline:
        await pipeline.append(events)
    await world.redis.flushall()
    return database


async def _ours(world: World, events: int, batch: int) -> float:
    database = await _filled(world, events)
    async with open_pipeline(database.service_url, world.redis_url, batch) as pipeline:
        seconds = await pipeline.seconds_to_rows(events)
    await world.drop(database)
    return events / seconds


async def _raw(world: World, events: int, batch: int) -> float:
    database = await _filled(world, events)
    source = await asyncpg.connect(database.service_url)
    target = await asyncpg.connect(database.service_url)
    seconds = await seconds_to_rows_raw(source, target, world.redis, events, batch)
    await source.close()
    await target.close()
    await world.drop(database)
    return events / seconds


async def seconds_to_rows_raw(
    source: asyncpg.Connection, target: asyncpg.Connection, redis: Redis, events: int, batch: int = BATCH
) -> float:
    """Until so many events of `source` are in the rows of `target`, without our code, over an empty bus."""
    started = time.perf_counter()
    await asyncio.gather(_raw_relay(source, redis, events), _raw_reader(target, redis, events, batch))
    return time.perf_counter() - started


async def _raw_relay(source: asyncpg.Connection, redis: Redis, events: int) -> None:
    last = sent = 0
    while sent < events:
        rows = await source.fetch(RAW_SELECT, last, BATCH)
        pipeline = redis.pipeline(transaction=False)
        for row in rows:
            pipeline.xadd(KEY, {"subject": row[1], "data": row[2]}, id=f"{row[0]}-0")
        await pipeline.execute()
        last, sent = rows[-1][0], sent + len(rows)


async def _raw_reader(target: asyncpg.Connection, redis: Redis, events: int, batch: int) -> None:
    last, seen = b"0", 0
    while seen < events:
        answer = await redis.xread({KEY: last}, count=batch, block=100)
        entries = _entries(answer)
        if not entries:
            continue
        data = [orjson.loads(body) for _, _, body in entries]
        async with target.transaction():
            await target.execute(
                RAW_UPSERT,
                [subject for _, subject, _ in entries],
                [event["number"] for event in data],
                [event["status"] for event in data],
                [datetime.fromisoformat(event["registered_at"]) for event in data],
            )
        last, seen = entries[-1][0], seen + len(entries)


def _entries(answer: Any) -> list[tuple[bytes, str, bytes]]:
    """ID, subject and data: redis-py 8 answers a dictionary of streams, older ones a list of pairs."""
    streams = list(answer.values() if isinstance(answer, dict) else (of for _, of in answer or ()))
    entries = streams[0] if streams else []
    return [(id_, fields[b"subject"].decode(), fields[b"data"]) for id_, fields in entries]

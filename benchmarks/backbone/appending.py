"""Appends: ours, `eventsourcing`, and the bare INSERT of the same rows."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import uuid4

import asyncpg

from benchmarks.backbone.peer import Write, open_peer
from benchmarks.backbone.world import CODEC, Registered, World, now, streams
from benchmarks.measuring import Measured, Side, in_turns
from shared.database.engine import create_engine
from shared.event_store import EventStore, bucket_of
from shared.event_store.numbering import Numberer

OURS, NUMBERED, RAW = "ours", "ours, with positions", "raw asyncpg INSERT"
PEER = "eventsourcing"
PEER_RECORDER, PEER_FUNCTIONS, PEER_BARE = (
    "its application recorder alone",
    "the same by database functions",
    "its aggregate recorder alone (no order of all events)",
)
WRITERS_AT_MOST = 16
METADATA = (
    '{"actor": null, "correlation_id": "00000000-0000-4000-8000-000000000000", "causation_id": null, '
    '"traceparent": "00-00000000000000000000000000000001-0000000000000001-01"}'
)

RAW_TABLE = """
    CREATE TABLE raw_events (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, event_id uuid NOT NULL, stream text NOT NULL,
        version integer NOT NULL, type text NOT NULL, schema_version smallint NOT NULL, data jsonb NOT NULL,
        metadata jsonb NOT NULL, bucket smallint NOT NULL, happened_at timestamptz NOT NULL,
        recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(), UNIQUE (stream, version)
    )
"""
COLUMNS = "event_id, stream, version, type, schema_version, data, metadata, bucket, happened_at"
RAW_ONE = f"INSERT INTO raw_events ({COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"  # noqa: S608
RAW_BATCH = f"""
    INSERT INTO raw_events ({COLUMNS})
    SELECT * FROM unnest($1::uuid[], $2::text[], $3::int[], $4::text[], $5::smallint[], $6::jsonb[],
                         $7::jsonb[], $8::smallint[], $9::timestamptz[])
"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class Load:
    """Each writer appends `events` events, `batch` at a time; a batch is one stream's."""

    name: str
    writers: int
    batch: int
    events: int


async def measure(world: World, load: Load, repeats: int) -> Measured:
    """Events per second of each side."""
    database = await world.new_database()
    peer_database = await world.new_database()
    engine = create_engine(database.service_url, pool_size=WRITERS_AT_MOST)
    store = EventStore(engine, CODEC, now)
    raw = await asyncpg.create_pool(database.owner_url, min_size=WRITERS_AT_MOST, max_size=WRITERS_AT_MOST)
    await raw.execute(RAW_TABLE)
    peer, functions, unordered = (
        open_peer(peer_database.owner_url, "peer", WRITERS_AT_MOST),
        open_peer(peer_database.owner_url, "peer_functions", WRITERS_AT_MOST, functions=True),
        open_peer(peer_database.owner_url, "peer_bare", WRITERS_AT_MOST, ordered=False),
    )
    threads = ThreadPoolExecutor(WRITERS_AT_MOST)

    async def ours() -> float:
        return await _together(load, lambda: _append_ours(store, load))

    async def numbered() -> float:
        async with _numbering(store):
            return await _together(load, lambda: _append_ours(store, load))

    async def bare() -> float:
        return await _together(load, lambda: insert_raw(raw, load))

    def theirs(prepare: Callable[[int, int], Write]) -> Side:
        async def run() -> float:
            loop = asyncio.get_running_loop()
            writers = [prepare(load.events, load.batch) for _ in range(load.writers)]
            started = time.perf_counter()
            await asyncio.gather(*(loop.run_in_executor(threads, write) for write in writers))
            return load.writers * load.events / (time.perf_counter() - started)

        return run

    sides: dict[str, Side] = {
        OURS: ours,
        NUMBERED: numbered,
        RAW: bare,
        PEER: theirs(peer.events_writer),
        PEER_RECORDER: theirs(peer.rows_writer),
        PEER_FUNCTIONS: theirs(functions.rows_writer),
        PEER_BARE: theirs(unordered.rows_writer),
    }
    try:
        return await in_turns(sides, repeats)
    finally:
        threads.shutdown()
        for each in (peer, functions, unordered):
            each.close()
        await raw.close()
        await engine.dispose()
        await world.drop(database)
        await world.drop(peer_database)


async def _together(load: Load, prepare: Callable[[], Callable[[], Awaitable[None]]]) -> float:
    writers = [prepare() for _ in range(load.writers)]
    started = time.perf_counter()
    await asyncio.gather(*(write() for write in writers))
    return load.writers * load.events / (time.perf_counter() - started)


def _append_ours(store: EventStore[Registered], load: Load) -> Callable[[], Awaitable[None]]:
    work = streams(load.events, max(load.batch, 10))

    async def write() -> None:
        for stream, _, events in work:
            for start in range(0, len(events), load.batch):
                await store.append(stream, events[start : start + load.batch], expected=start, actor=None)

    return write


def insert_raw(pool: asyncpg.Pool, load: Load) -> Callable[[], Awaitable[None]]:
    """Rows are ready before the clock starts: nothing but the driver and the server is measured."""
    rows = [
        (uuid4(), stream, n, "Registered", 1, CODEC.encode(event), METADATA, bucket_of(stream), now())
        for stream, _, events in streams(load.events, max(load.batch, 10))
        for n, event in enumerate(events, 1)
    ]
    batches = [list(zip(*rows[n : n + load.batch], strict=True)) for n in range(0, len(rows), load.batch)]

    async def write() -> None:
        async with pool.acquire() as connection:
            if load.batch == 1:
                for row in rows:
                    await connection.execute(RAW_ONE, *row)
            else:
                for columns in batches:
                    await connection.execute(RAW_BATCH, *columns)

    return write


@asynccontextmanager
async def _numbering(store: EventStore[Registered]) -> AsyncIterator[None]:
    """The numberer beside the writers, as in a service; leaves when all events have their positions."""
    done = asyncio.Event()

    async def run() -> None:
        numberer = Numberer(500)
        while True:
            async with store.engine.begin() as connection:
                count = await numberer.number(connection)
            if not count:
                if done.is_set():
                    return
                await asyncio.sleep(0.005)

    task = asyncio.create_task(run())
    try:
        yield
    finally:
        done.set()
        await task

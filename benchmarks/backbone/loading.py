"""What loading a stream costs by its length: whether a snapshot would pay."""

import time
from functools import reduce

from benchmarks.backbone.world import CODEC, Registered, World, now, registered
from benchmarks.measuring import Measured, Side, in_turns
from shared.database.engine import create_engine
from shared.event_store import NO_STREAM, EventStore

LENGTHS = (1, 10, 100, 1_000)
LOADS = 20


async def measure(world: World, repeats: int) -> Measured:
    """Milliseconds to load a stream of each length and fold it."""
    database = await world.new_database()
    engine = create_engine(database.service_url)
    store = EventStore(engine, CODEC, now)
    for length in LENGTHS:
        events = [registered(_stream(length), n) for n in range(1, length + 1)]
        await store.append(_stream(length), events, expected=NO_STREAM, actor=None)
    measured = await in_turns({f"{length:,}": _load(store, length) for length in LENGTHS}, repeats)
    await engine.dispose()
    await world.drop(database)
    return measured


def _load(store: EventStore[Registered], length: int) -> Side:
    async def run() -> float:
        started = time.perf_counter()
        for _ in range(LOADS):
            async with store.transaction() as transaction:
                loaded = await transaction.load(_stream(length))
            assert reduce(_evolve, loaded.events, 0) == length
        return 1_000 * (time.perf_counter() - started) / LOADS

    return run


def _stream(length: int) -> str:
    return f"participant-of-{length}"


def _evolve(_: int, event: Registered) -> int:
    return event.number

"""Appends alone, which are committed in groups."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import uuid4

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.database.engine import create_engine
from shared.database.errors import is_passing
from shared.database.provision import ServiceDatabase
from shared.event_store import ANY, NO_STREAM, Codec, ConcurrentAppend, EventStore
from shared.tracing import new_trace, tracing

NOW = datetime(2026, 1, 1, tzinfo=UTC)
COMMITS = text("SELECT count(DISTINCT xmin::text) FROM events")
CUT_CONNECTIONS = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
"""

OTHER_CONNECTIONS = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
"""


@dataclass(frozen=True)
class Added:
    amount: int


CODEC: Codec[Added] = Codec({"Added": Added})


def store_on(engine: AsyncEngine) -> EventStore[Added]:
    return EventStore(engine, CODEC, lambda: NOW)


@pytest.fixture
def store(engine: AsyncEngine) -> EventStore[Added]:
    return store_on(engine)


async def amounts(store: EventStore[Added], stream: str) -> list[int]:
    return [recorded.event.amount for recorded in await store.read_stream(stream)]


async def test_what_is_returned_is_what_is_read(store: EventStore[Added]) -> None:
    await store.append("a", [Added(1)], expected=NO_STREAM, actor=None)
    correlation_id = str(uuid4())
    with tracing(new_trace(None, correlation_id)):
        recorded = await store.append("a", [Added(2), Added(3)], expected=1, actor="tester")
    assert await store.read_stream("a", after=1) == recorded
    assert [(r.version, r.metadata.actor) for r in recorded] == [(2, "tester"), (3, "tester")]
    assert {r.metadata.correlation_id for r in recorded} == {correlation_id}


@pytest.mark.parametrize("expected", [NO_STREAM, 2, 5])
async def test_an_append_at_another_version_is_refused(store: EventStore[Added], expected: int) -> None:
    await store.append("a", [Added(1)], expected=NO_STREAM, actor=None)
    with pytest.raises(ConcurrentAppend, match=f"a is not at {expected}"):
        await store.append("a", [Added(2)], expected=expected, actor=None)
    assert await amounts(store, "a") == [1]


async def test_of_many_at_once_each_has_its_own_outcome(
    store: EventStore[Added], engine: AsyncEngine
) -> None:
    await store.append("taken", [Added(0)], expected=NO_STREAM, actor=None)
    results = await asyncio.gather(
        *(store.append(f"stream-{n}", [Added(n)], expected=NO_STREAM, actor=None) for n in range(50)),
        *(store.append("taken", [Added(n)], expected=NO_STREAM, actor=None) for n in range(5)),
        *(store.append("same", [Added(n)], expected=NO_STREAM, actor=None) for n in range(5)),
        return_exceptions=True,
    )
    refused = [type(result) is ConcurrentAppend for result in results]
    assert refused == [False] * 50 + [True] * 5 + [False] + [True] * 4
    assert await amounts(store, "same") == [0]
    async with engine.connect() as connection:
        assert (await connection.scalar(COMMITS) or 0) < 10, "they were not committed in groups"


async def test_appends_at_any_version_all_succeed_in_their_order(store: EventStore[Added]) -> None:
    await asyncio.gather(*(store.append("a", [Added(n)], expected=ANY, actor=None) for n in range(30)))
    assert await amounts(store, "a") == list(range(30))


async def test_several_processes_that_append_at_any_version_all_succeed(
    plain_database: ServiceDatabase, store: EventStore[Added]
) -> None:
    engines = [create_engine(plain_database.service_url, pool_size=1) for _ in range(4)]
    stores = [store_on(engine) for engine in engines]
    await asyncio.gather(
        *(one.append("a", [Added(n)], expected=ANY, actor=None) for n in range(25) for one in stores)
    )
    for engine in engines:
        await engine.dispose()
    assert sorted(await amounts(store, "a")) == sorted(list(range(25)) * 4)


async def test_two_processes_that_append_to_the_same_streams_do_not_wait_for_each_other(
    plain_database: ServiceDatabase,
) -> None:
    """Each writes its group in one transaction. In opposite orders, one would have to be cancelled."""
    names = [f"stream-{n}" for n in range(200)]
    engines = [create_engine(plain_database.service_url, pool_size=1) for _ in range(2)]
    forwards, backwards = (store_on(engine) for engine in engines)
    for _ in range(5):
        results = await asyncio.gather(
            *(forwards.append(name, [Added(1)], expected=ANY, actor=None) for name in names),
            *(backwards.append(name, [Added(2)], expected=ANY, actor=None) for name in reversed(names)),
            return_exceptions=True,
        )
        assert [result for result in results if not isinstance(result, list)] == []
    for engine in engines:
        await engine.dispose()


async def test_two_transactions_that_block_each_other_are_a_concurrent_append(
    store: EventStore[Added],
) -> None:
    async with store.transaction() as one:
        await one.append("a", [Added(1)], expected=ANY, actor=None)
        other = asyncio.create_task(append_to_both(store, "b", "a"))
        await asyncio.sleep(0.1)
        blocked = asyncio.create_task(one.append("b", [Added(1)], expected=ANY, actor=None))
        results = await asyncio.gather(other, blocked, return_exceptions=True)
    assert sorted(type(result).__name__ for result in results) in (
        ["ConcurrentAppend", "NoneType"],
        ["ConcurrentAppend", "list"],
    )


async def append_to_both(store: EventStore[Added], first: str, second: str) -> None:
    async with store.transaction() as transaction:
        await transaction.append(first, [Added(2)], expected=ANY, actor=None)
        await transaction.append(second, [Added(2)], expected=ANY, actor=None)


async def test_somebody_elses_open_transaction_refuses_only_its_own_stream(store: EventStore[Added]) -> None:
    async with store.transaction() as transaction:
        await transaction.append("a", [Added(1)], expected=NO_STREAM, actor=None)
        meanwhile = asyncio.gather(
            *(store.append(name, [Added(2)], expected=NO_STREAM, actor=None) for name in ("a", "b", "c")),
            return_exceptions=True,
        )
        await asyncio.sleep(0.1)
    refused, *others = await meanwhile
    assert isinstance(refused, ConcurrentAppend)
    assert [len(other) for other in others if isinstance(other, list)] == [1, 1]
    assert await amounts(store, "a") == [1]


async def test_who_does_not_wait_any_more_hinders_nobody(store: EventStore[Added]) -> None:
    hasty = asyncio.create_task(store.append("a", [Added(1)], expected=ANY, actor=None))
    patient = asyncio.create_task(store.append("b", [Added(2)], expected=ANY, actor=None))
    await asyncio.sleep(0)
    hasty.cancel()
    assert len(await patient) == 1


async def test_a_lost_connection_is_said_to_pass_and_the_next_append_has_a_new_one(
    store: EventStore[Added], plain_database: ServiceDatabase
) -> None:
    await store.append("a", [Added(0)], expected=ANY, actor=None)
    killer = await asyncpg.connect(plain_database.service_url)
    for round_ in range(5):
        waiting = [
            asyncio.create_task(store.append("a", [Added(n)], expected=ANY, actor=None)) for n in range(20)
        ]
        await asyncio.sleep(0.002 * round_)
        await killer.execute(CUT_CONNECTIONS)
        for result in await asyncio.gather(*waiting, return_exceptions=True):
            assert isinstance(result, list) or (isinstance(result, Exception) and is_passing(result)), result
    await killer.close()
    await asyncio.sleep(0.05)
    before = await amounts(store, "a")
    await store.append("a", [Added(99)], expected=ANY, actor=None)
    assert await amounts(store, "a") == [*before, 99]


async def test_what_cannot_be_stored_is_refused_and_nobody_else_is(store: EventStore[Added]) -> None:
    with pytest.raises(DBAPIError) as refused:
        await store.append("bad\x00stream", [Added(1)], expected=ANY, actor=None)
    assert not is_passing(refused.value)
    await store.append("a", [Added(1)], expected=ANY, actor=None)
    assert await amounts(store, "a") == [1]


async def test_a_closed_store_leaves_no_connection_behind(plain_database: ServiceDatabase) -> None:
    engine = create_engine(plain_database.service_url)
    store = store_on(engine)
    await store.append("a", [Added(1)], expected=NO_STREAM, actor=None)
    late = asyncio.create_task(store.append("b", [Added(2)], expected=NO_STREAM, actor=None))
    await asyncio.sleep(0)
    await store.close()
    assert (await late)[0].version == 1, "what was being written was cut off"
    await engine.dispose()
    watch = await asyncpg.connect(plain_database.owner_url)
    try:
        async with asyncio.timeout(5):
            while await watch.fetchval(OTHER_CONNECTIONS):  # the server needs a moment to say goodbye
                await asyncio.sleep(0.05)
    finally:
        await watch.close()

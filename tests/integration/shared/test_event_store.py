import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.database.engine import create_engine
from shared.database.provision import ServiceDatabase
from shared.event_store import Codec, ConcurrentAppend, Decider, EventStore, Recorded, execute
from shared.event_store.numbering import FULL_BATCHES, Numberer

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Added:
    amount: int
    unit: str = "piece"


CODEC: Codec[Added] = Codec({"Added": Added})


@pytest.fixture
def store(engine: AsyncEngine) -> EventStore[Added]:
    return EventStore(engine, CODEC, lambda: NOW)


async def append(store: EventStore[Added], stream: str, *amounts: int, expected: int) -> None:
    async with store.transaction() as transaction:
        await transaction.append(stream, [Added(a) for a in amounts], expected=expected, actor="tester")


async def append_and_fail(store: EventStore[Added]) -> None:
    async with store.transaction() as transaction:
        await transaction.append("b", [Added(1)], expected=0, actor=None)
        raise RuntimeError


async def number(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        await Numberer(1000).number(connection)


async def test_a_stream_gives_back_what_was_appended_in_order(store: EventStore[Added]) -> None:
    await append(store, "a", 1, 2, expected=0)
    await append(store, "a", 3, expected=2)
    read = await store.read_stream("a")
    assert [(r.version, r.event.amount) for r in read] == [(1, 1), (2, 2), (3, 3)]
    assert read[0].metadata.actor == "tester"
    assert read[0].happened_at == NOW
    backwards = await store.read_stream("a", backwards=True, limit=2)
    assert [r.event.amount for r in backwards] == [3, 2]


@pytest.mark.parametrize("expected", [0, 2, 5])
async def test_an_append_at_another_version_is_refused(store: EventStore[Added], expected: int) -> None:
    await append(store, "a", 1, expected=0)
    with pytest.raises(ConcurrentAppend):
        await append(store, "a", 2, expected=expected)
    assert len(await store.read_stream("a")) == 1


async def test_of_two_appends_at_once_one_wins(store: EventStore[Added]) -> None:
    results = await asyncio.gather(
        *(append(store, "a", n, expected=0) for n in range(10)), return_exceptions=True
    )
    assert sorted(type(r).__name__ for r in results) == ["ConcurrentAppend"] * 9 + ["NoneType"]
    assert len(await store.read_stream("a")) == 1


async def test_a_late_commit_is_never_skipped(store: EventStore[Added], engine: AsyncEngine) -> None:
    """Two transactions commit in the opposite order of their appends, with a reader in between."""
    async with store.transaction() as early:
        await early.append("early", [Added(1)], expected=0, actor=None)
        await append(store, "late", 2, expected=0)
        await number(engine)
        first = await store.read_all()
        assert [(r.position, r.stream) for r in first] == [(1, "late")]
    await number(engine)
    then = await store.read_all(after=1)
    assert [(r.position, r.stream) for r in then] == [(2, "early")]


@pytest.mark.parametrize("backlog", [7, 2 * FULL_BATCHES + 10], ids=["that ends", "without an end"])
async def test_who_commits_late_during_a_backlog_is_numbered_too(
    store: EventStore[Added], engine: AsyncEngine, backlog: int
) -> None:
    """The numberer goes on behind what it numbered: it must not forget what comes in front of that."""
    numberer = Numberer(limit=1)
    async with store.transaction() as early:
        await early.append("early", [Added(1)], expected=0, actor=None)
        await append(store, "late", *range(backlog), expected=0)
        async with engine.begin() as connection:
            assert await numberer.number(connection) == 1
    for _ in range(FULL_BATCHES + 2):
        async with engine.begin() as connection:
            await numberer.number(connection)
    assert "early" in {r.stream for r in await store.read_all()}


async def test_positions_have_no_gap_when_appends_fail(store: EventStore[Added], engine: AsyncEngine) -> None:
    for n in range(5):
        await append(store, "a", n, expected=n)
        with pytest.raises(ConcurrentAppend):
            await append(store, "a", n, expected=n)
        with pytest.raises(RuntimeError):
            await append_and_fail(store)
        await number(engine)
    assert [r.position for r in await store.read_all()] == [1, 2, 3, 4, 5]
    assert [r.position for r in await store.read_all_backwards(before=4, limit=2)] == [3, 2]
    assert await store.last_position() == 5


@pytest.mark.parametrize(
    "statement", ["UPDATE events SET version = 9", "DELETE FROM events", "TRUNCATE events"]
)
async def test_the_table_refuses_changes_even_from_its_owner(
    store: EventStore[Added], engine: AsyncEngine, plain_database: ServiceDatabase, statement: str
) -> None:
    await append(store, "a", 1, expected=0)
    owner = create_engine(plain_database.owner_url)
    for who in (engine, owner):
        with pytest.raises(DBAPIError, match=r"permission denied|append-only"):
            async with who.begin() as connection:
                await connection.execute(text(statement))
    await owner.dispose()


async def test_old_events_are_raised_to_the_present_schema(
    store: EventStore[Added], engine: AsyncEngine
) -> None:
    await append(store, "a", 7, expected=0)

    @dataclass(frozen=True)
    class Counted:
        number: int
        unit: str

    def rename(data: dict[str, Any]) -> dict[str, Any]:
        return {"number": data["amount"], "unit": data["unit"]}

    newer: EventStore[Counted] = EventStore(
        engine, Codec({"Added": Counted}, {"Added": (rename,)}), lambda: NOW
    )
    assert [r.event for r in await newer.read_stream("a")] == [Counted(7, "piece")]
    async with newer.transaction() as transaction:
        await transaction.append("a", [Counted(8, "box")], expected=1, actor=None)
    assert [r.event.number for r in await newer.read_stream("a")] == [7, 8]


async def test_a_command_is_decided_again_when_somebody_was_faster(store: EventStore[Added]) -> None:
    def decide(limit: int, total: int) -> Sequence[Added]:
        return [Added(1)] if total < limit else []

    counter: Decider[int, int, Added] = Decider(0, decide, lambda total, event: total + event.amount)

    async def nothing(_transaction: object, _recorded: Sequence[Recorded[Added]]) -> None:
        await asyncio.sleep(0)

    async def add() -> None:
        await execute(store, counter, "counter", 3, actor=None, along=nothing)

    await asyncio.gather(*(add() for _ in range(4)))
    assert len(await store.read_stream("counter")) == 3

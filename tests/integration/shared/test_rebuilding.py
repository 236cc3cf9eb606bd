"""A read model made anew beside the live one: it becomes what the log says, and nobody sees it happen."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from sqlalchemy import Column, Integer, MetaData, Table, Text, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.bus.applying import Applier, Projection
from shared.bus.feed import Feed
from shared.bus.publication import PublishedPage
from shared.bus.rebuilding import CannotRebuild, Followed, Report, rebuild
from shared.contracts.envelope import CloudEvent
from shared.database.difference import Difference
from shared.database.engine import create_engine
from shared.database.provision import ServiceDatabase
from shared.event_store import ANY, Codec, EventStore
from shared.event_store.numbering import Numberer
from shared.work_queue import enqueue
from tests.integration.shared.test_bus import Counted, LocalFeed, running

TALLIES = Table(
    "tallies",
    MetaData(),
    Column("subject", Text, primary_key=True),
    Column("total", Integer, nullable=False),
    Column("latest", Integer),
)
CREATE = "CREATE TABLE tallies (subject text PRIMARY KEY, total integer NOT NULL, latest integer)"
UPSERT = text("""
    INSERT INTO tallies AS t (subject, total, latest) VALUES (:subject, :number, :number)
    ON CONFLICT (subject) DO UPDATE SET total = t.total + excluded.total, latest = excluded.latest
""")


class Tallies:
    """Adds up the numbers of each subject, takes some numbers for wrong, and has an effect for each event."""

    name = "tallies"
    publisher = "test"
    tables: Sequence[Table] = (TALLIES,)

    def __init__(self, *, wrong: Sequence[int] = (), times: int = 1) -> None:
        self._wrong = wrong
        self._times = times

    async def apply(self, connection: AsyncConnection, events: Sequence[CloudEvent]) -> None:
        for event in events:
            number = event.data["number"]
            if number in self._wrong:
                raise ValueError(f"{number} is not a number we take")
            await connection.execute(UPSERT, {"subject": event.subject, "number": number * self._times})
            await enqueue(connection, "email", event.id, {})


Rows = dict[str, tuple[int, int]]


def folded(events: Sequence[Counted]) -> Rows:
    """What the rows must be."""
    totals: Counter[str] = Counter()
    latest: dict[str, int] = {}
    for event in events:
        totals[event.subject] += event.number
        latest[event.subject] = event.number
    return {subject: (totals[subject], latest[subject]) for subject in latest}


def numbers(start: int, count: int, subjects: int = 9) -> list[Counted]:
    return [Counted(f"subject-{n % subjects}", n) for n in range(start, start + count)]


class Held:
    """A feed that waits at a page until it is let go, and says when it has come there."""

    def __init__(self, feed: Feed, page: int) -> None:
        self._feed = feed
        self._left = page
        self.reached = asyncio.Event()
        self.let_go = asyncio.Event()

    async def read(self, after: int, limit: int, partition: int, of: int) -> PublishedPage:
        self._left -= 1
        if self._left == 0:
            self.reached.set()
            await self.let_go.wait()
        return await self._feed.read(after, limit, partition, of)


TERMINATE = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE usename = current_user AND datname = current_database() AND pid <> pg_backend_pid()
"""
IN_THE_SWAP = """
    SELECT pid FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE 'UPDATE public%'
"""


class Live:
    """The publisher's log and the live read model, in one database."""

    def __init__(self, engine: AsyncEngine, owner_url: str, partitions: int) -> None:
        codec: Codec[Counted] = Codec({"Counted": Counted})
        self.engine = engine
        self.owner_url = owner_url
        self.partitions = partitions
        self.store = EventStore(engine, codec, lambda: datetime.now(UTC), lambda: None)
        self.feed = LocalFeed(self.store)

    async def append(self, *events: Counted) -> None:
        for event in events:
            await self.store.append(event.subject, [event], expected=ANY, actor=None)
        async with self.engine.begin() as connection:
            await Numberer(10_000).number(connection)

    async def log(self) -> list[Counted]:
        page = await self.feed.read(0, 100_000, 0, 1)
        return [Counted(event.subject, event.data["number"]) for event in page.events]

    async def follow(self, projection: Projection, batch: int = 7) -> None:
        """Apply what the log has, as the live projection does."""
        for partition in range(self.partitions):
            applier = Applier(projection, self.engine.begin, partition)
            await applier.reload()
            while True:
                page = await self.feed.read(applier.checkpoint, batch, partition, self.partitions)
                if page.up_to == applier.checkpoint:
                    break
                await applier.apply(page.events, page.up_to)

    async def rebuild(
        self, projection: Projection, *, feed: Feed | None = None, dry_run: bool = False
    ) -> Report:
        model = Followed(projection, feed or self.feed, partitions=self.partitions, batch=7)
        return await rebuild(self.owner_url, model, dry_run=dry_run)

    async def execute(self, statement: str) -> None:
        async with self.engine.begin() as connection:
            await connection.execute(text(statement))

    async def all(self, query: str) -> list[tuple[Any, ...]]:
        async with self.engine.connect() as connection:
            return [tuple(row) for row in await connection.execute(text(query))]

    async def rows(self) -> Rows:
        return {s: (total, latest) for s, total, latest in await self.all("TABLE tallies")}

    async def state(self) -> list[list[tuple[Any, ...]]]:
        """Everything that is live, with the transaction that wrote or locked each row last."""
        tables = ("tallies", "checkpoints", "parked_events", "work", "events", "event_positions")
        return [await self.all(f"SELECT xmin::text, xmax::text, t::text FROM {t} t") for t in tables]  # noqa: S608

    async def as_owner(self, query: str) -> int:
        """Returns how many rows it gives. Of the owner's sessions, only the owner sees what they do."""
        owner = create_engine(self.owner_url)
        async with owner.connect() as connection:
            rows = (await connection.execute(text(query))).all()
        await owner.dispose()
        return len(rows)


@pytest.fixture(params=[1, 4], ids=["1 partition", "4 partitions"])
def partitions(request: pytest.FixtureRequest) -> int:
    return int(request.param)


@pytest.fixture
async def live(engine: AsyncEngine, plain_database: ServiceDatabase, partitions: int) -> Live:
    owner = create_engine(plain_database.owner_url)
    async with owner.begin() as connection:
        await connection.execute(text(CREATE))
        await connection.execute(text("GRANT SELECT, INSERT, UPDATE, DELETE ON tallies TO plain_service"))
    await owner.dispose()
    return Live(engine, plain_database.owner_url, partitions)


one_partition = pytest.mark.parametrize("partitions", [1], ids=["1 partition"])


async def spoil(live: Live) -> None:
    """Two rows wrong, one missing, one too many."""
    await live.execute("UPDATE tallies SET total = -1 WHERE subject IN ('subject-1', 'subject-2')")
    await live.execute("DELETE FROM tallies WHERE subject = 'subject-3'")
    await live.execute("INSERT INTO tallies VALUES ('nobody', 5, 5)")


SPOILT = Difference(same=6, added=1, changed=2, removed=1)


async def test_rows_that_were_spoilt_are_repaired_and_counted(live: Live) -> None:
    events = numbers(1, 90)
    await live.append(*events)
    await live.follow(Tallies())
    await spoil(live)
    report = await live.rebuild(Tallies())
    assert report == {"tallies": SPOILT, "parked_events": Difference(0, 0, 0, 0)}
    assert await live.rows() == folded(events)
    assert (await live.rebuild(Tallies()))["tallies"] == Difference(9, 0, 0, 0)


async def test_a_dry_run_says_the_same_and_writes_nothing(live: Live) -> None:
    await live.append(*numbers(1, 90))
    await live.follow(Tallies())
    await spoil(live)
    before = await live.state()
    assert (await live.rebuild(Tallies(), dry_run=True))["tallies"] == SPOILT
    assert await live.state() == before


async def test_effects_of_the_past_are_not_had_again(live: Live) -> None:
    await live.append(*numbers(1, 30))
    await live.follow(Tallies())
    await live.execute("DELETE FROM work")
    await live.rebuild(Tallies())
    assert await live.all("SELECT kind FROM work") == []


async def test_another_way_of_applying_gives_other_rows(live: Live) -> None:
    events = numbers(1, 40)
    await live.append(*events)
    await live.follow(Tallies())
    report = await live.rebuild(Tallies(times=3))
    assert report["tallies"] == Difference(0, 0, 9, 0)
    assert await live.rows() == folded([Counted(e.subject, e.number * 3) for e in events])


async def test_what_the_live_model_was_not_told_yet_is_left_to_it_with_its_effects(live: Live) -> None:
    told, later = numbers(1, 30), numbers(31, 20)
    await live.append(*told)
    await live.follow(Tallies())
    await live.append(*later)
    await spoil(live)
    await live.rebuild(Tallies())
    assert await live.rows() == folded(told)
    await live.follow(Tallies())
    assert await live.rows() == folded(told + later)
    assert len(await live.all("SELECT kind FROM work")) == 50


async def test_events_that_arrive_meanwhile_are_neither_lost_nor_doubled(live: Live) -> None:
    await live.append(*numbers(1, 120))
    await live.follow(Tallies())
    await spoil(live)

    async def arrive() -> None:
        start = 121
        while True:
            await live.append(*numbers(start, 5))
            start += 5
            await live.follow(Tallies(), batch=3)
            await asyncio.sleep(0.1)  # more would come than a rebuild can read, and it would run after them

    async with running(arrive):
        first, *others = [(await live.rebuild(Tallies()))["tallies"] for _ in range(4)]
    await live.follow(Tallies())
    log = await live.log()
    assert len(log) > 120
    assert (first.added + first.changed, first.removed) == (3, 1)
    assert others == [Difference(9, 0, 0, 0)] * 3
    assert await live.rows() == folded(log)


@one_partition
async def test_a_reader_sees_the_old_rows_or_the_new_ones(live: Live) -> None:
    events = numbers(1, 600, subjects=300)
    await live.append(*events)
    await live.follow(Tallies())
    await live.execute("UPDATE tallies SET total = -1 WHERE subject <> 'subject-7'")
    old, new = await live.rows(), folded(events)
    seen: list[Rows] = []

    async def look() -> None:
        while True:
            seen.append(await live.rows())

    async with running(look):
        await live.rebuild(Tallies())
        await asyncio.sleep(0.1)
    assert seen[0] == old
    assert seen[-1] == new
    assert all(rows in (old, new) for rows in seen)


async def killed_while(live: Live, waiting: Callable[[], Awaitable[None]], feed: Feed | None = None) -> None:
    """Rebuild, end its session when `waiting` returns, and see that nothing has changed."""
    before = await live.state()
    task = asyncio.create_task(live.rebuild(Tallies(), feed=feed))
    await waiting()
    assert await live.as_owner(TERMINATE) == 1
    if isinstance(feed, Held):
        feed.let_go.set()
    with pytest.raises(DBAPIError):
        await task
    assert [[row[2] for row in table] for table in await live.state()] == [
        [row[2] for row in table] for table in before
    ]
    assert await live.all("SELECT relname FROM pg_class WHERE relname = 'tallies'") == [("tallies",)]


async def test_one_that_is_killed_while_it_reads_has_changed_nothing(live: Live) -> None:
    await live.append(*numbers(1, 60))
    await live.follow(Tallies())
    await spoil(live)
    feed = Held(live.feed, page=4)

    async def reached() -> None:
        await feed.reached.wait()

    await killed_while(live, reached, feed)
    assert (await live.rebuild(Tallies()))["tallies"] == SPOILT


@one_partition
async def test_one_that_is_killed_in_the_middle_of_the_swap_has_changed_nothing(live: Live) -> None:
    """It has removed a row already, and waits for one that it would change."""
    await live.append(*numbers(1, 60))
    await live.follow(Tallies())
    await spoil(live)
    async with live.engine.begin() as other:
        await other.execute(text("SELECT * FROM tallies WHERE subject = 'subject-1' FOR UPDATE"))

        async def swapping() -> None:
            async with asyncio.timeout(20):
                while not await live.as_owner(IN_THE_SWAP):
                    await asyncio.sleep(0.02)

        await killed_while(live, swapping)


@one_partition
async def test_a_fold_cannot_touch_what_is_live(live: Live) -> None:
    class Trespasser(Tallies):
        async def apply(self, connection: AsyncConnection, events: Sequence[CloudEvent]) -> None:
            await connection.execute(text("UPDATE public.tallies SET total = 0"))

    await live.append(*numbers(1, 10))
    await live.follow(Tallies())
    before = await live.state()
    with pytest.raises(DBAPIError, match="read-only transaction"):
        await live.rebuild(Trespasser())
    assert await live.state() == before


async def waiting(live: Live) -> list[int]:
    rows = await live.all(
        "SELECT (event -> 'data' ->> 'number')::int FROM parked_events WHERE settled_at IS NULL ORDER BY id"
    )
    return [number for (number,) in rows]


async def test_parked_events_that_can_be_applied_now_are_applied_and_settled(live: Live) -> None:
    events = [Counted("bad", 1), Counted("bad", 13), Counted("bad", 2), Counted("good", 1)]
    await live.append(*events)
    await live.follow(Tallies(wrong=[13]))
    assert await waiting(live) == [13, 2]
    report = await live.rebuild(Tallies())
    assert report["tallies"] == Difference(1, 0, 1, 0)
    assert report["parked_events"] == Difference(0, 0, 0, 2)
    assert await waiting(live) == []
    assert await live.rows() == folded(events)
    settled = await live.all("SELECT DISTINCT action, why FROM parked_actions")
    assert settled == [("retried", "rebuilt")]
    await live.append(Counted("bad", 3))
    await live.follow(Tallies())
    assert (await live.rows())["bad"] == (19, 3), "what follows goes on"


async def test_what_cannot_be_applied_any_more_is_parked_in_the_order_of_the_log(live: Live) -> None:
    """The later one was parked first; and one was settled before, and has to be looked at again."""
    await live.append(*(Counted("bad", n) for n in (1, 2, 3, 13)), Counted("good", 1))
    await live.follow(Tallies(wrong=[3]))
    await live.rebuild(Tallies(wrong=[13]))
    assert await waiting(live) == [13]
    report = await live.rebuild(Tallies(wrong=[2]))
    assert report["parked_events"] == Difference(same=1, added=2, changed=0, removed=0)
    assert await waiting(live) == [2, 3, 13]
    assert await live.rows() == {"bad": (1, 1), "good": (1, 1)}


async def test_an_event_that_was_discarded_stays_so(live: Live) -> None:
    await live.append(Counted("bad", 13), Counted("good", 1))
    await live.follow(Tallies(wrong=[13]))
    await live.execute("UPDATE parked_events SET settled_at = now(), settled_how = 'discarded'")
    await live.append(Counted("bad", 2))
    await live.follow(Tallies(wrong=[13]))
    report = await live.rebuild(Tallies())
    assert not any(report.values())
    assert await live.rows() == {"bad": (2, 2), "good": (1, 1)}


@one_partition
async def test_a_discard_meanwhile_is_not_overruled(live: Live) -> None:
    await live.append(Counted("bad", 13), *numbers(1, 30))
    await live.follow(Tallies(wrong=[13]))
    feed = Held(live.feed, page=3)
    task = asyncio.create_task(live.rebuild(Tallies(wrong=[13]), feed=feed))
    await feed.reached.wait()
    await live.execute("UPDATE parked_events SET settled_at = now(), settled_how = 'discarded'")
    feed.let_go.set()
    with pytest.raises(CannotRebuild, match="discarded meanwhile"):
        await task
    assert await waiting(live) == []


async def test_a_feed_that_cannot_be_read_is_said_so_and_nothing_is_changed(live: Live) -> None:
    await live.append(*numbers(1, 30))
    await live.follow(Tallies())
    await spoil(live)
    before = await live.state()
    live.feed.away = True
    with pytest.raises(CannotRebuild, match=r"^The feed of test cannot be read: ConnectError\.$"):
        await live.rebuild(Tallies())
    assert await live.state() == before


@one_partition
async def test_a_log_that_ends_before_the_checkpoint_is_not_believed(live: Live) -> None:
    """A publisher that was restored from an old backup, say."""
    await live.append(*numbers(1, 30))
    await live.follow(Tallies())

    class Shortened:
        async def read(self, after: int, limit: int, partition: int, of: int) -> PublishedPage:
            return await live.feed.read(after, min(limit, 20 - after), partition, of)

    before = await live.state()
    with pytest.raises(CannotRebuild, match=r"The log of test ends at 20, and tallies has read up to 30"):
        await live.rebuild(Tallies(), feed=Shortened())
    assert await live.state() == before


@one_partition
async def test_a_refusal_of_the_publisher_is_told_with_its_code(live: Live) -> None:
    await live.append(*numbers(1, 3))
    await live.follow(Tallies())

    class Refusing:
        async def read(self, after: int, limit: int, partition: int, of: int) -> PublishedPage:
            request = httpx.Request("GET", "http://publisher/events")
            response = httpx.Response(403, request=request)
            raise httpx.HTTPStatusError("refused", request=request, response=response)

    with pytest.raises(CannotRebuild, match="publisher answered 403"):
        await live.rebuild(Tallies(), feed=Refusing())

"""Any walk at all through store, relay and projection, on real servers, against a model in memory.

Whatever was appended, stopped, started, flushed or scribbled: when it is quiet again, the log is the
model's and the rows are its fold, each event applied once.
"""

import asyncio
import itertools
from collections import defaultdict
from collections.abc import Callable, Coroutine, Iterable, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)
from redis.asyncio import Redis
from redis.exceptions import ResponseError
from sqlalchemy import select, text

from shared.bus import projection
from shared.bus.client import open_broker
from shared.bus.parking import list_parked
from shared.bus.publication import bus_stream
from shared.bus.stream import BusStream
from shared.bus.tables import checkpoints
from shared.database.engine import create_engine
from shared.database.provision import ServiceDatabase
from shared.event_store import ANY, NO_STREAM, ConcurrentAppend, EventStore, NewEvents, Recorded
from shared.event_store.numbering import Numberer
from tests.databases import Databases
from tests.integration.shared.backbone_model import POISON, Model, by_subject
from tests.integration.shared.test_bus import Bus, Counted, eventually
from tests.servers import Servers

Answer = TypeVar("Answer")
STREAMS: Final = ("a", "b", "c", "d", "e", "f")
LATE: Final = ("b", "d", "late")
"""Streams of transactions that stay open. Meanwhile nobody else writes to them: he would have to wait."""

streams = st.sampled_from(STREAMS)
kinds = st.lists(st.sampled_from(["plain"] * 9 + ["secret", "poison"]), min_size=1, max_size=3)
expectations = st.sampled_from(["any", "exact", "none", "behind", "ahead"])


@dataclass(frozen=True)
class Bench:
    """What a walk runs on. new_database: makes one with the table of the rows, and nothing in it."""

    runner: asyncio.Runner
    new_database: Callable[[], Coroutine[Any, Any, ServiceDatabase]]
    new_redis_url: Callable[[], str]


class BackboneWalk(RuleBasedStateMachine):
    """Hypothesis calls the rules from outside; one event loop lives through the walk and runs in them."""

    def __init__(self, bench: Bench) -> None:
        super().__init__()
        self.bench = bench
        self.model = Model()
        self.numbers = itertools.count(1000)
        self.read: list[Recorded[Counted]] = []
        self.late: AsyncExitStack | None = None
        self.late_events: list[Recorded[Counted]] = []
        self.late_begun = 0
        self.made = 0
        """Events since it was quiet, also those that lost a race: which rules may follow, no race decides."""
        self.relay: AsyncExitStack | None = None
        self.projections: AsyncExitStack | None = None

    def run(self, work: Coroutine[Any, Any, Answer]) -> Answer:
        return self.bench.runner.run(work)

    @initialize(partitions=st.sampled_from([1, 4]), relaying=st.booleans())
    def begin(self, partitions: int, relaying: bool) -> None:
        self.partitions = partitions
        self.database = self.run(self.bench.new_database())
        self.redis_url = self.bench.new_redis_url()
        self.run(self._open())
        if relaying:
            self.start_relay()

    async def _open(self) -> None:
        self.engine = create_engine(self.database.service_url)
        self.redis: Redis = Redis.from_url(self.redis_url)
        broker = open_broker(self.redis_url)
        self.bus = Bus(self.engine, self.redis, broker, self.partitions)
        self.store = self.bus.store
        # As another process has it: its appends form groups of their own.
        self.other_store = EventStore(
            self.engine, self.store.codec, lambda: datetime.now(UTC), self.bus.bell.ring
        )

    async def _close(self) -> None:
        await self._stop_projections()
        await self._stop_relay()
        await self.bus.broker.stop()
        await self.redis.aclose()
        await self.engine.dispose()

    # Appends

    def events(self, stream: str, kinds: Sequence[str]) -> list[Counted]:
        self.made += len(kinds)
        return [
            Counted(stream, POISON if kind == "poison" else next(self.numbers), secret=kind == "secret")
            for kind in kinds
        ]

    def expected(self, stream: str, expectation: str) -> int | None:
        version = self.model.version(stream)
        return {
            "any": ANY,
            "exact": version,
            "none": NO_STREAM,
            "behind": max(version - 1, 0),
            "ahead": version + 1,
        }[expectation]

    def is_held(self, stream: str) -> bool:
        return self.late is not None and stream in LATE

    @rule(stream=streams, kinds=kinds, expectation=expectations, alone=st.booleans())
    def append(self, stream: str, kinds: Sequence[str], expectation: str, alone: bool) -> None:
        if not self.is_held(stream):
            new = NewEvents(stream, self.expected(stream, expectation), self.events(stream, kinds))
            self._append([new], alone)

    @rule(batch=st.dictionaries(streams, st.tuples(kinds, expectations), min_size=2, max_size=4))
    def append_to_several(self, batch: dict[str, tuple[Sequence[str], str]]) -> None:
        self._append(
            [
                NewEvents(stream, self.expected(stream, expectation), self.events(stream, kinds))
                for stream, (kinds, expectation) in batch.items()
                if not self.is_held(stream)
            ],
            alone=False,
        )

    def _append(self, batch: Sequence[NewEvents[Counted]], alone: bool) -> None:
        """All of it is taken when every stream is as expected, and otherwise nothing."""
        fits = all(new.expected in (ANY, self.model.version(new.stream)) for new in batch)
        begun = next(self.model.moments)
        try:
            recorded = self.run(self._appended(self.store, batch, alone))
        except ConcurrentAppend:
            assert not fits
        else:
            assert fits
            assert [one.event for one in recorded] == [event for new in batch for event in new.events]
            self.model.keep(recorded, begun)

    async def _appended(
        self, store: EventStore[Counted], batch: Sequence[NewEvents[Counted]], alone: bool
    ) -> list[Recorded[Counted]]:
        if alone:
            (new,) = batch
            return await store.append(new.stream, new.events, expected=new.expected, actor=None)
        async with store.transaction() as transaction:
            return await transaction.append_all(batch, actor=None)

    @rule(
        attempts=st.lists(
            st.tuples(streams, kinds, st.sampled_from(["any", "exact"]), st.booleans(), st.booleans()),
            min_size=2,
            max_size=8,
        )
    )
    def append_at_once(self, attempts: list[tuple[str, Sequence[str], str, bool, bool]]) -> None:
        """From two processes: who loses a race is told so, and of each stream somebody wins."""
        begun = next(self.model.moments)
        tried, writes = [], []
        for stream, kinds, expectation, alone, other in attempts:
            if not self.is_held(stream):
                new = NewEvents(stream, self.expected(stream, expectation), self.events(stream, kinds))
                tried.append((new, alone))
                writes.append(self._appended(self.other_store if other else self.store, [new], alone))
        results = self.run(_all_of(writes))
        won = [one for result in results if isinstance(result, list) for one in result]
        winners: dict[str, list[NewEvents[Counted]]] = defaultdict(list)
        for (new, alone), result in zip(tried, results, strict=True):
            if isinstance(result, list):
                winners[new.stream].append(new)
            else:
                assert isinstance(result, ConcurrentAppend), repr(result)
                assert not (alone and new.expected is ANY), "refused, though it took any version"
        assert winners.keys() == {new.stream for new, _ in tried}
        for wins in winners.values():
            assert sum(new.expected is not ANY for new in wins) <= 1, "two took the same version"
        self.model.keep(won, begun)

    @precondition(lambda self: self.late is None)
    @rule(kinds=kinds)
    def leave_a_transaction_open(self, kinds: Sequence[str]) -> None:
        self.late_begun = next(self.model.moments)
        self.run(self._leave_open([NewEvents(name, ANY, self.events(name, kinds)) for name in LATE]))

    async def _leave_open(self, batch: Sequence[NewEvents[Counted]]) -> None:
        self.late = AsyncExitStack()
        transaction = await self.late.enter_async_context(self.store.transaction())
        self.late_events = await transaction.append_all(batch, actor=None)

    @precondition(lambda self: self.late is not None)
    @rule()
    def commit_late(self) -> None:
        """Its events have been inserted before others that were read long ago."""
        if self.late is not None:
            self.run(self.late.aclose())
            self.model.keep(self.late_events, self.late_begun)
            self.late = None

    @precondition(lambda self: self.late is not None)
    @rule()
    def give_up_late(self) -> None:
        if self.late is not None:
            self.run(self.late.__aexit__(RuntimeError, RuntimeError("given up"), None))
            self.late = None

    # A reader that goes on and on

    @rule(limit=st.integers(1, 5))
    def read_on(self, limit: int) -> None:
        after = self.read[-1].position if self.read else 0
        self.read += self.run(self.store.read_all(after or 0, limit))
        assert [one.position for one in self.read] == list(range(1, len(self.read) + 1))

    # Relay and projections

    @precondition(lambda self: self.relay is None)
    @rule(limit=st.integers(1, 5))
    def number_some(self, limit: int) -> None:
        """As a relay does that is killed before it publishes."""
        self.run(self._number(limit))

    async def _number(self, limit: int) -> None:
        async with self.engine.begin() as connection:
            await Numberer(limit).number(connection)

    @rule()
    def start_relay(self) -> None:
        self.run(self._start_relay())

    async def _start_relay(self) -> None:
        if self.relay is None:
            self.relay = AsyncExitStack()
            await self.relay.enter_async_context(self.bus.relaying())

    @rule()
    def stop_relay(self) -> None:
        self.run(self._stop_relay())

    async def _stop_relay(self) -> None:
        if self.relay is not None:
            await self.relay.aclose()
            self.relay = None

    @rule()
    def start_projections(self) -> None:
        self.run(self._start_projections())

    async def _start_projections(self) -> None:
        if self.projections is None:
            self.projections = AsyncExitStack()
            await self.projections.enter_async_context(self.bus.projecting())

    @rule()
    def stop_projections(self) -> None:
        self.run(self._stop_projections())

    async def _stop_projections(self) -> None:
        if self.projections is not None:
            await self.projections.aclose()
            self.projections = None

    @rule(away=st.booleans())
    def feed_goes_or_comes(self, away: bool) -> None:
        self.bus.feed.away = away

    @rule(hundredths=st.integers(1, 10))
    def time_passes(self, hundredths: int) -> None:
        self.run(asyncio.sleep(hundredths / 100))

    @rule()
    def restart_everything(self) -> None:
        self.commit_late()
        self.run(self._close())
        self.run(self._open())

    # Redis

    @rule()
    def flush(self) -> None:
        self.run(self._flush())

    async def _flush(self) -> None:
        await self.redis.flushdb()

    @rule(left=st.integers(0, 2))
    def trim(self, left: int) -> None:
        self.run(self._trim(left))

    async def _trim(self, left: int) -> None:
        await asyncio.sleep(0.2)  # so that there is something to trim
        for key in self._keys():
            await self.redis.xtrim(key, maxlen=left, approximate=False)

    @rule(
        body=st.sampled_from([b"{}", b"not JSON", b"null", b'{"id": 1}']),
        named=st.booleans(),
        where=st.sampled_from(["{next}-0", "{last}-7", "*"]),
    )
    def scribble(self, body: bytes, named: bool, where: str) -> None:
        """Somebody adds what is none of ours: where our next entry would be, before it, or far behind."""
        self.run(self._scribble({"__data__" if named else "other": body}, where))

    async def _scribble(self, entry: dict[Any, Any], where: str) -> None:
        for key in self._keys():
            last = await BusStream(self.redis, key).last()
            with suppress(ResponseError):  # the relay was faster, or it is not the first scribble there
                await self.redis.xadd(key, entry, id=where.format(last=last, next=last + 1))

    def _keys(self) -> Iterable[str]:
        return (bus_stream("test", partition) for partition in range(self.partitions))

    # Quiet

    @precondition(lambda self: self.made > 10)
    @rule()
    def be_quiet(self) -> None:
        """Everything runs, nobody writes: then all must be as the model says."""
        self.commit_late()
        self.run(self._catch_up())
        self.run(self._check())
        self.made = 0

    def teardown(self) -> None:
        if hasattr(self, "bus"):
            try:
                self.be_quiet()
            finally:
                self.run(self._close())

    async def _catch_up(self) -> None:
        """First by the bus alone, then with the feed's help for what is missing on it."""
        self.bus.feed.away = True
        await self._start_relay()
        await self._start_projections()
        await asyncio.sleep(0.2)
        self.bus.feed.away = False
        await eventually(self._is_quiet, seconds=120)

    async def _is_quiet(self) -> bool:
        async with self.engine.connect() as connection:
            at = (await connection.scalars(select(checkpoints.c.position))).all()
        return list(at) == [len(self.model.spans)] * self.partitions

    async def _check(self) -> None:
        log = await self.store.read_all(limit=10_000)
        self.model.must_be(log)
        assert self.read == log[: len(self.read)], "a reader passed something by"
        assert await self._backwards(page=3) == log
        for stream in STREAMS:
            assert [one.event for one in await self.store.read_stream(stream)] == self.model.streams[stream]
        assert by_subject(await self.bus.rows()) == self.model.rows()
        async with self.engine.connect() as connection:
            parked = await list_parked(connection)
        assert by_subject((one.subject, one.event["data"]["number"]) for one in parked) == self.model.parked()

    async def _backwards(self, page: int) -> list[Recorded[Counted]]:
        read: list[Recorded[Counted]] = []
        while more := await self.store.read_all_backwards(read[-1].position if read else None, page):
            read += more
        return read[::-1]


async def _all_of(
    writes: Sequence[Coroutine[Any, Any, list[Recorded[Counted]]]],
) -> list[list[Recorded[Counted]] | BaseException]:
    return await asyncio.gather(*writes, return_exceptions=True)


async def empty_database(databases: Databases) -> str:
    """Make one with the rows of test_bus, and return its name.

    Nothing is unique in it: what is applied twice must show.
    """
    database = await databases.new("plain")
    owner = create_engine(database.owner_url)
    async with owner.begin() as connection:
        await connection.execute(
            text("CREATE TABLE seen (id bigint GENERATED ALWAYS AS IDENTITY, subject text, number int)")
        )
        await connection.execute(text("GRANT SELECT, INSERT ON seen TO plain_service"))
    await owner.dispose()
    return database.name


def test_any_walk_ends_with_the_log_and_the_rows_of_the_model(
    databases: Databases, servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(projection, "IDLE_SECONDS", 0.2)
    monkeypatch.setattr(projection, "RETRY_SECONDS", 0.1)
    monkeypatch.setattr("shared.database.exclusive.STANDBY_SECONDS", 0.05)
    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        empty = runner.run(empty_database(databases))
        bench = Bench(runner, lambda: databases.copy("plain", empty), servers.new_redis_url)

        class Walk(BackboneWalk):
            def __init__(self) -> None:
                super().__init__(bench)

        run_state_machine_as_test(
            Walk,
            settings=settings(
                max_examples=20,
                stateful_step_count=40,
                phases=[Phase.reuse, Phase.generate],  # shrinking would take minutes: a walk takes seconds
            ),
        )

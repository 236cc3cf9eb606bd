"""Work is asked for with its event, done by somebody, and settled by whoever has it."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.database.bell import Bell
from shared.database.engine import create_engine
from shared.database.provision import ServiceDatabase
from shared.tracing import Trace, current_trace, new_trace, tracing
from shared.work_queue import GiveUp, Handler, Job, Worker, enqueue, worker
from shared.work_queue.queue import claim, settle
from tests.integration.shared.test_bus import eventually

KIND = "email"
SHORT_LEASE = 0.6


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "POLL_SECONDS", 0.05)
    monkeypatch.setattr(worker, "FIRST_DELAY_SECONDS", 0.05)


@pytest.fixture
async def elsewhere(plain_database: ServiceDatabase) -> AsyncIterator[AsyncEngine]:
    """The connections of another process."""
    engine = create_engine(plain_database.service_url)
    yield engine
    await engine.dispose()


@asynccontextmanager
async def working(
    engine: AsyncEngine,
    handle: Handler,
    kind: str = KIND,
    concurrency: int = 4,
    lease_seconds: float = worker.LEASE_SECONDS,
) -> AsyncIterator[asyncio.Task[None]]:
    work = Worker(engine, Bell(engine, "test_work"), {kind: handle}, concurrency, lease_seconds)
    run = asyncio.create_task(work.run())
    try:
        yield run
    finally:
        await end(run)


async def end(run: asyncio.Task[None]) -> None:
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run


async def ask(engine: AsyncEngine, *keys: str, kind: str = KIND, data: dict[str, Any] | None = None) -> None:
    async with engine.begin() as connection:
        for key in keys:
            await enqueue(connection, kind, key, data or {"person": key})


async def jobs(engine: AsyncEngine) -> dict[str, Row[Any]]:
    """The rows of the queue by their keys."""
    async with engine.connect() as connection:
        rows = await connection.execute(text("SELECT * FROM work"))
        return {row.key: row for row in rows}


async def becomes(engine: AsyncEngine, state: str, *keys: str) -> None:
    async def are() -> bool:
        known = await jobs(engine)
        return all(known[key].state == state for key in keys)

    await eventually(are)


class Noting:
    """A handler that notes when it was called for what."""

    def __init__(self, then: Callable[[Job], Awaitable[None]] | None = None) -> None:
        self.jobs: list[Job] = []
        self.times: list[float] = []
        self._then = then

    async def __call__(self, job: Job) -> None:
        self.jobs.append(job)
        self.times.append(time.monotonic())
        if self._then is not None:
            await self._then(job)


async def fail(_job: Job) -> None:
    raise ValueError("person@example.org is not reachable")


async def test_competing_workers_do_each_job_once(engine: AsyncEngine, elsewhere: AsyncEngine) -> None:
    keys = [str(number) for number in range(40)]
    await ask(engine, *keys)
    here, there = Noting(), Noting()
    async with working(engine, here), working(elsewhere, there), working(elsewhere, there):
        await becomes(engine, "done", *keys)
    assert Counter(job.key for job in (*here.jobs, *there.jobs)) == dict.fromkeys(keys, 1)
    assert here.jobs
    assert there.jobs


async def test_no_more_is_taken_than_asked_for_whatever_the_planner_chooses(engine: AsyncEngine) -> None:
    """With `IN (SELECT … LIMIT)` a nested loop runs the sub-select for each row: it took all five."""
    await ask(engine, "a", "b", "c", "d", "e")
    async with engine.connect() as connection:
        for other in ("hashagg", "hashjoin", "mergejoin", "sort", "material"):
            await connection.execute(text(f"SET enable_{other} = off"))
        taken = await claim(connection, [KIND], 2, lease_seconds=0)
        await connection.rollback()
    assert len(taken) == 2


async def test_the_longest_due_is_taken_first(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        await enqueue(connection, KIND, "later", {})
        await connection.execute(text("UPDATE work SET due_at = due_at - interval '1 second'"))
        await enqueue(connection, KIND, "longest", {})
        await connection.execute(
            text("UPDATE work SET due_at = due_at - interval '1 hour' WHERE key = 'longest'")
        )
        assert [job.key for job in await claim(connection, [KIND], 1, 30)] == ["longest"]


async def test_work_is_there_with_its_transaction_or_not_at_all(engine: AsyncEngine) -> None:
    async with engine.connect() as connection:
        await enqueue(connection, KIND, "never", {})
        await connection.rollback()
    assert await jobs(engine) == {}
    async with engine.connect() as connection:
        await enqueue(connection, KIND, "soon", {})
        assert await jobs(engine) == {}, "nobody may begin before the event is committed"
        await connection.commit()
    assert set(await jobs(engine)) == {"soon"}


async def test_the_same_is_asked_for_once_ever_also_when_it_is_done(engine: AsyncEngine) -> None:
    note, other = Noting(), Noting()
    await ask(engine, "one", "one")
    async with working(engine, note), working(engine, other, kind="file"):
        await becomes(engine, "done", "one")
        await ask(engine, "one", "two")
        await becomes(engine, "done", "two")
        await ask(engine, "one", kind="file")
        await eventually(lambda: has(other, 1))
    assert [job.key for job in note.jobs] == ["one", "two"]
    assert [job.kind for job in other.jobs] == ["file"]


async def has(note: Noting, count: int) -> bool:
    return len(note.jobs) >= count


async def test_what_is_not_due_yet_waits(engine: AsyncEngine) -> None:
    note = Noting()
    async with engine.begin() as connection:
        due = await connection.scalar(text("SELECT clock_timestamp() + interval '0.5 seconds'"))
        await enqueue(connection, KIND, "later", {}, due_at=due)
    asked = time.monotonic()
    async with working(engine, note):
        await becomes(engine, "done", "later")
    assert note.times[0] - asked >= 0.45


async def test_failures_come_back_later_and_later_and_are_parked_in_the_end(
    engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "MAX_TRIES", 4)
    monkeypatch.setattr(random, "uniform", lambda _shortest, longest: longest)
    failing = Noting(fail)
    await ask(engine, "hopeless", data={"person": "p-1"})
    async with working(engine, failing):
        await becomes(engine, "parked", "hopeless")
        await asyncio.sleep(0.2)
    assert [job.tries for job in failing.jobs] == [1, 2, 3, 4]
    gaps = [later - earlier for earlier, later in zip(failing.times, failing.times[1:], strict=False)]
    assert [gap >= least for gap, least in zip(gaps, (0.1, 0.2, 0.4), strict=True)] == [True] * 3
    row = (await jobs(engine))["hopeless"]
    assert row.last_error == "ValueError", "the message may be about a person"
    assert row.data == {"person": "p-1"}, "whoever looks into it needs the IDs"


def test_the_delay_doubles_up_to_a_limit_and_is_jittered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "FIRST_DELAY_SECONDS", 0.5)
    for tries, longest in ((1, 1.0), (2, 2.0), (5, 16.0), (12, 300.0), (500, 300.0)):
        delays = [worker.delay(tries) for _ in range(300)]
        assert all(0.5 <= delay <= longest for delay in delays)
        assert max(delays) > longest * 0.8
        assert len(set(delays)) > 250


async def test_a_failure_that_passes_is_a_job_done(engine: AsyncEngine) -> None:
    async def once(job: Job) -> None:
        if job.tries == 1:
            raise OSError

    note = Noting(once)
    await ask(engine, "shaky")
    async with working(engine, note):
        await becomes(engine, "done", "shaky")
    assert [job.tries for job in note.jobs] == [1, 2]


async def test_who_gives_up_parks_the_job_at_once_with_the_reason(engine: AsyncEngine) -> None:
    async def give_up(_job: Job) -> None:
        raise GiveUp("the grant has ended meanwhile")

    note = Noting(give_up)
    await ask(engine, "late", data={"grant": "g-1"})
    async with working(engine, note):
        await becomes(engine, "parked", "late")
        await asyncio.sleep(0.2)
    row = (await jobs(engine))["late"]
    assert len(note.jobs) == 1
    assert (row.last_error, row.data) == ("the grant has ended meanwhile", {"grant": "g-1"})
    assert row.settled_at is not None


async def test_what_is_done_is_on_record_without_its_data(engine: AsyncEngine) -> None:
    note = Noting()
    await ask(engine, "one", data={"person": "p-1"})
    async with working(engine, note):
        await becomes(engine, "done", "one")
    row = (await jobs(engine))["one"]
    assert note.jobs[0].data == {"person": "p-1"}
    assert (row.data, row.lease) == ({}, None)
    assert row.settled_at is not None


async def test_work_belongs_to_the_trace_that_asked_for_it(engine: AsyncEngine) -> None:
    asking = new_trace(None, "correlation-1", "event-1")
    seen: list[Trace] = []

    async def look(_job: Job) -> None:
        seen.append(current_trace())

    with tracing(asking):
        await ask(engine, "one")
    async with working(engine, look):
        await becomes(engine, "done", "one")
    assert (seen[0].trace_id, seen[0].correlation_id) == (asking.trace_id, "correlation-1")
    assert seen[0].causation_id == "event-1"
    assert seen[0].span_id != asking.span_id


async def test_a_dead_workers_job_is_done_by_another_when_the_lease_is_over(
    engine: AsyncEngine, elsewhere: AsyncEngine
) -> None:
    never = asyncio.Event()

    async def hang(_job: Job) -> None:
        await never.wait()

    hanging, note = Noting(hang), Noting()
    await ask(engine, "one")
    async with working(engine, hanging, lease_seconds=SHORT_LEASE):
        await eventually(lambda: has(hanging, 1))
    assert (await jobs(engine))["one"].state == "due"
    async with working(elsewhere, note):
        await becomes(engine, "done", "one")
    assert [job.tries for job in note.jobs] == [2]
    assert note.times[0] - hanging.times[0] >= SHORT_LEASE - 0.2


async def test_a_long_job_is_kept_while_its_worker_lives(engine: AsyncEngine, elsewhere: AsyncEngine) -> None:
    async def take_long(_job: Job) -> None:
        await asyncio.sleep(SHORT_LEASE * 2.5)

    note = Noting(take_long)
    await ask(engine, "long")
    async with working(engine, note, lease_seconds=SHORT_LEASE), working(elsewhere, note):
        await becomes(engine, "done", "long")
    assert len(note.jobs) == 1


@pytest.mark.parametrize(
    "late_end", [None, ValueError("late"), GiveUp("late")], ids=["done", "fails", "gives up"]
)
async def test_who_comes_late_does_not_settle_the_job_of_another(
    engine: AsyncEngine, elsewhere: AsyncEngine, late_end: Exception | None
) -> None:
    taken_over, release, late = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def lose_the_lease(_job: Job) -> None:
        async with engine.begin() as connection:
            await connection.execute(text("UPDATE work SET due_at = clock_timestamp()"))
        await taken_over.wait()
        late.set()
        if late_end is not None:
            raise late_end

    async def take_over(_job: Job) -> None:
        taken_over.set()
        await release.wait()

    first, second = Noting(lose_the_lease), Noting(take_over)
    await ask(engine, "one")
    async with working(engine, first, concurrency=1) as run:  # so that it is not itself who takes over
        await eventually(lambda: has(first, 1))
        async with working(elsewhere, second):
            await late.wait()
            await asyncio.sleep(0.3)
            await end(run)
            row = (await jobs(engine))["one"]
            assert (row.state, row.lease) == ("due", second.jobs[0].lease)
            assert row.last_error is None
            release.set()
            await becomes(engine, "done", "one")
    assert [job.tries for job in (*first.jobs, *second.jobs)] == [1, 2]


async def test_settling_says_whether_the_job_was_still_ones_own(engine: AsyncEngine) -> None:
    await ask(engine, "one")
    async with engine.begin() as connection:
        first = (await claim(connection, [KIND], 1, lease_seconds=0))[0]
        second = (await claim(connection, [KIND], 1, lease_seconds=30))[0]
        assert isinstance(first.lease, UUID)
        assert await settle(connection, first, "done") is False
        assert await settle(connection, second, "done") is True
        assert await settle(connection, second, "parked") is False

"""Work is asked for with its event, done by somebody, and settled by whoever has it."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from prometheus_client import REGISTRY
from sqlalchemy import Row, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.database.bell import Bell
from shared.database.engine import create_engine
from shared.database.provision import ServiceDatabase
from shared.tracing import Trace, current_trace, new_trace, tracing
from shared.work_queue import GiveUp, Handler, Job, Worker, enqueue, worker
from shared.work_queue.queue import claim, extend, postpone, settle
from tests.integration.shared.test_bus import eventually

KIND = "email"
SHORT_LEASE = 0.6


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "POLL_SECONDS", 0.05)
    monkeypatch.setattr(worker, "SHORTEST_SPAN_SECONDS", 0.1)


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
    max_tries: int = worker.MAX_TRIES,
) -> AsyncIterator[asyncio.Task[None]]:
    work = Worker(engine, Bell(engine, "test_work"), {kind: handle}, concurrency, lease_seconds, max_tries)
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


async def take(
    connection: AsyncConnection, limit: int, lease_seconds: float = 30, max_tries: int = 5
) -> list[Job]:
    return await claim(connection, [KIND], limit, lease_seconds, max_tries)


def ended(outcome: str) -> float:
    """How many jobs ended so, by the metric."""
    return REGISTRY.get_sample_value("checkdata_work_jobs_total", {"kind": KIND, "outcome": outcome}) or 0.0


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
    raise ValueError("somebody is not reachable")


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
        taken = await take(connection, 2, lease_seconds=0)
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
        assert [job.key for job in await take(connection, 1)] == ["longest"]


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
    monkeypatch.setattr(random, "uniform", lambda _shortest, longest: longest)
    failing = Noting(fail)
    await ask(engine, "hopeless", data={"person": "p-1"})
    async with working(engine, failing, max_tries=4):
        await becomes(engine, "parked", "hopeless")
        await asyncio.sleep(0.2)
    assert [job.tries for job in failing.jobs] == [1, 2, 3, 4]
    gaps = [later - earlier for earlier, later in zip(failing.times, failing.times[1:], strict=False)]
    assert [gap >= least for gap, least in zip(gaps, (0.1, 0.2, 0.4), strict=True)] == [True] * 3
    row = (await jobs(engine))["hopeless"]
    assert row.last_error == "ValueError", "the message may be about a person"
    assert row.data == {"person": "p-1"}, "whoever looks into it needs the IDs"


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
    asking = new_trace(None, str(uuid4()), "event-1")
    seen: list[Trace] = []

    async def look(_job: Job) -> None:
        seen.append(current_trace())

    with tracing(asking):
        await ask(engine, "one")
    async with working(engine, look):
        await becomes(engine, "done", "one")
    assert (seen[0].trace_id, seen[0].correlation_id) == (asking.trace_id, asking.correlation_id)
    assert seen[0].causation_id == "event-1"
    assert seen[0].span_id != asking.span_id


async def test_a_dead_workers_job_is_done_by_another_when_the_lease_is_over(
    engine: AsyncEngine, elsewhere: AsyncEngine
) -> None:
    note = Noting()
    await ask(engine, "one")
    async with engine.begin() as connection:  # and is never heard of again
        await take(connection, 1, lease_seconds=SHORT_LEASE)
    taken = time.monotonic()
    async with working(elsewhere, note):
        await becomes(engine, "done", "one")
    assert [job.tries for job in note.jobs] == [2]
    assert note.times[0] - taken >= SHORT_LEASE - 0.2


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


async def test_whoever_settles_postpones_or_extends_is_told_whether_the_job_was_still_theirs(
    engine: AsyncEngine,
) -> None:
    await ask(engine, "one")
    async with engine.begin() as connection:
        first = (await take(connection, 1, lease_seconds=0))[0]
        second = (await take(connection, 1))[0]
        assert isinstance(first.lease, UUID)
        assert await settle(connection, first, "done") is False
        assert await postpone(connection, first, 60, "late") is False
        assert await extend(connection, first, 60) is False
        assert await extend(connection, second, 60) is True
        assert await settle(connection, second, "done") is True
        assert await settle(connection, second, "parked") is False


async def test_who_loses_the_lease_is_cancelled_and_the_other_finishes(
    engine: AsyncEngine, elsewhere: AsyncEngine
) -> None:
    never, release, cancelled = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def hang(_job: Job) -> None:
        async with engine.begin() as connection:
            await connection.execute(text("UPDATE work SET due_at = clock_timestamp()"))
        try:
            await never.wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise

    async def take_over(_job: Job) -> None:
        await release.wait()

    first, second = Noting(hang), Noting(take_over)
    lost, done, postponed = ended("lost"), ended("done"), ended("postponed")
    await ask(engine, "one")
    async with working(engine, first, concurrency=1, lease_seconds=SHORT_LEASE):
        await eventually(lambda: has(first, 1))
        async with working(elsewhere, second, concurrency=1):
            async with asyncio.timeout(10):
                await cancelled.wait()
            await eventually(lambda: has_ended("lost", lost + 1))
            row = (await jobs(engine))["one"]
            assert (row.state, row.lease, row.last_error) == ("due", second.jobs[0].lease, None)
            release.set()
            await becomes(engine, "done", "one")
            await eventually(lambda: has_ended("done", done + 1))
        await ask(engine, "next")
        await eventually(lambda: has(first, 2))  # it is free again for other work
    assert ended("postponed") == postponed


async def has_ended(outcome: str, times: float) -> bool:
    return ended(outcome) == times


async def test_an_end_that_comes_too_late_is_counted_as_lost_and_as_nothing_else(
    engine: AsyncEngine, elsewhere: AsyncEngine
) -> None:
    taken_over, release = asyncio.Event(), asyncio.Event()

    async def lose_the_lease(_job: Job) -> None:
        async with engine.begin() as connection:
            await connection.execute(text("UPDATE work SET due_at = clock_timestamp()"))
        await taken_over.wait()

    async def take_over(_job: Job) -> None:
        taken_over.set()
        await release.wait()

    first, second = Noting(lose_the_lease), Noting(take_over)
    lost, done = ended("lost"), ended("done")
    await ask(engine, "one")
    async with working(engine, first, concurrency=1):
        await eventually(lambda: has(first, 1))
        async with working(elsewhere, second):
            await eventually(lambda: has_ended("lost", lost + 1))
            assert ended("done") == done
            release.set()
            await eventually(lambda: has_ended("done", done + 1))


async def test_the_timeout_of_a_handler_is_a_failure_and_no_lost_lease(engine: AsyncEngine) -> None:
    async def time_out(job: Job) -> None:
        if job.tries == 1:
            raise TimeoutError

    lost = ended("lost")
    await ask(engine, "one")
    async with working(engine, time_out):
        await becomes(engine, "done", "one")
    assert (await jobs(engine))["one"].tries == 2
    assert ended("lost") == lost


async def test_a_job_that_kills_its_worker_each_time_is_parked_when_its_tries_are_used_up(
    engine: AsyncEngine,
) -> None:
    """A worker that dies says nothing: the row is as after a claim whose lease is over."""
    parked = ended("parked")
    await ask(engine, "deadly", data={"person": "p-1"})
    for _ in range(3):
        async with engine.begin() as connection:  # by one who dies of it
            assert await take(connection, 1, max_tries=3)
        await lease_is_over(engine)
    innocent = Noting()
    async with working(engine, innocent, max_tries=3):
        await becomes(engine, "parked", "deadly")
        await ask(engine, "harmless")
        await becomes(engine, "done", "harmless")
    row = (await jobs(engine))["deadly"]
    assert [job.key for job in innocent.jobs] == ["harmless"]
    assert (row.tries, row.last_error, row.lease) == (3, worker.USED_UP, None)
    assert row.data == {"person": "p-1"}
    assert row.settled_at is not None
    assert ended("parked") == parked + 1


async def lease_is_over(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE work SET due_at = clock_timestamp() WHERE state = 'due'"))


async def test_the_last_try_is_left_alone_while_its_worker_lives(
    engine: AsyncEngine, elsewhere: AsyncEngine
) -> None:
    async def take_long(_job: Job) -> None:
        await asyncio.sleep(4)

    note, idle = Noting(take_long), Noting()
    await ask(engine, "long")
    async with working(engine, note, lease_seconds=1.5, max_tries=1):
        await eventually(lambda: has(note, 1))
        async with working(elsewhere, idle, max_tries=1):
            await becomes(engine, "done", "long")
    assert idle.jobs == []


async def test_each_lease_is_longer_than_the_one_before_and_is_not_shortened_by_extending(
    engine: AsyncEngine,
) -> None:
    await ask(engine, "one")
    for tries in (1, 2, 3):
        async with engine.begin() as connection:
            (job,) = await take(connection, 1, lease_seconds=30)
            await extend(connection, job, 30)
            left = await connection.scalar(text("SELECT due_at - clock_timestamp() FROM work"))
        assert timedelta(seconds=30 * tries - 5) < left <= timedelta(seconds=30 * tries)
        await lease_is_over(engine)


@pytest.mark.parametrize("state", ["done", "parked", "discarded"])
async def test_no_job_is_over_without_saying_since_when(engine: AsyncEngine, state: str) -> None:
    await ask(engine, "one")
    with pytest.raises(IntegrityError, match="work_settled"):
        async with engine.begin() as connection:
            await connection.execute(text("UPDATE work SET state = :state"), {"state": state})


async def test_a_worker_that_is_told_to_finish_does_what_it_began_and_no_more(engine: AsyncEngine) -> None:
    go_on = asyncio.Event()

    async def wait(_job: Job) -> None:
        await go_on.wait()

    noting = Noting(wait)
    work = Worker(engine, Bell(engine, "test_work"), {KIND: noting}, concurrency=1)
    run = asyncio.create_task(work.run())
    await ask(engine, "first")
    await eventually(lambda: has(noting, 1))
    await ask(engine, "second")
    work.finish()
    go_on.set()
    async with asyncio.timeout(10):
        await run
    rows = await jobs(engine)
    assert (rows["first"].state, rows["second"].state, rows["second"].tries) == ("done", "due", 0)


async def test_a_job_that_is_broken_off_is_given_back_and_done_by_another_at_once(
    engine: AsyncEngine, elsewhere: AsyncEngine
) -> None:
    async def never(_job: Job) -> None:
        await asyncio.Event().wait()

    noting = Noting(never)
    await ask(engine, "job")
    before = ended("given_back")
    async with working(engine, noting):
        await eventually(lambda: has(noting, 1))
    assert ended("given_back") == before + 1
    row = (await jobs(engine))["job"]
    assert (row.state, row.tries, row.lease) == ("due", 0, None), "this try does not count"
    began = time.monotonic()
    async with working(elsewhere, Noting()):
        await becomes(engine, "done", "job")
    assert time.monotonic() - began < worker.LEASE_SECONDS / 3

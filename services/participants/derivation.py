"""From the log to the rows that pages show: whoever is marked is derived anew, whatever the mark was for.

So it does not matter in which order events came, nor whether one came twice, and a rebuild is the same
thing for everybody. While the database works for some, others are derived (derived_rows.py) beside it.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import BrokenExecutor, Executor
from dataclasses import dataclass, fields
from traceback import format_tb
from typing import NamedTuple
from uuid import UUID

import structlog
from prometheus_client import Counter, Gauge
from sqlalchemy import ARRAY, Uuid, any_, bindparam, select, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.participants.days import present_day
from services.participants.derived_rows import Given, Made, rows_of
from services.participants.domain.mentoring import Naming
from services.participants.locks import deriving, keeping, writing
from services.participants.received_log import log_that_bears_on, mark
from services.participants.rows import replace_rows, replace_rows_and_tell
from services.participants.tables import (
    derivations_due,
    mentor_namings,
    participant_views,
    status_history,
)
from shared.database.engine import Begin
from shared.database.errors import AWAY, is_passing

log = structlog.get_logger(__name__)

DERIVED = Counter("checkdata_participants_derived_total", "Participants whose rows were derived")
FAILED = Counter("checkdata_participants_not_derived_total", "Participants whose rows could not be derived")
CURRENT_AT = Gauge(
    "checkdata_participants_current_timestamp_seconds",
    "When last nobody was due, save who failed",
)

LOOK_SECONDS = 1.0
"""How often it is looked whether something is due, when nobody in this process said so."""
TURN = 10
"""Batches, after which somebody else who wants to derive gets their turn (a backfill, say)."""


@dataclass(frozen=True, slots=True)
class Means:
    """batch: participants in one transaction. executor: where rows are made, a thread by default.

    ahead: batches that are read before the first of them is written.
    """

    batch: int
    executor: Executor | None = None
    ahead: int = 1


class Derivation:
    """Keeps the rows up with the log. May run in several processes: they take turns."""

    def __init__(self, engine: AsyncEngine, batch: int) -> None:
        self._engine = engine
        self._means = Means(batch)
        self._due = asyncio.Event()

    def wake(self) -> None:
        """Say that something is due, or will be when the present transaction has committed."""
        self._due.set()

    async def run(self) -> None:
        """Never returns."""
        while True:
            try:
                while await derive_in_turn(self._engine, self._means, batches=TURN):
                    pass
                CURRENT_AT.set_to_current_time()
                await self._wait()
            except AWAY as error:
                if not is_passing(error):
                    raise
                log.warning("derivation_delayed", error=type(error).__name__)
                await asyncio.sleep(LOOK_SECONDS)

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                await self._due.wait()
        except TimeoutError:
            return
        self._due.clear()
        async with self._engine.begin() as connection:
            await keeping(connection)  # returns when those who woke us have committed


async def derive_in_turn(
    engine: AsyncEngine,
    means: Means,
    progress: Callable[[int], None] = lambda done: None,
    batches: int | None = None,
) -> int:
    """Derive when nobody else does. Two at once would do no harm, only everything twice.

    See derive_all_due. batches: how many at most.
    """
    async with engine.begin() as turn:
        await deriving(turn)
        return await derive_all_due(engine.begin, means, progress, batches)


async def derive_all_due(
    begin: Begin,
    means: Means,
    progress: Callable[[int], None] = lambda done: None,
    batches: int | None = None,
) -> int:
    """Derive until nothing is due. Returns how many it derived; progress: so far.

    None are before the service has begun its first day: statuses are those of a day. Who cannot be derived
    is noted with the reason and left aside, and the others go on. batches: stop after so many.
    """
    run = _Run(begin, means, progress)
    while await run.round(batches) and batches is None:
        pass
    return run.done


class _Batch(NamedTuple):
    given: Given
    made: asyncio.Future[Made]


class _Run:
    """done: how many were derived so far, or found not to be derivable."""

    def __init__(self, begin: Begin, means: Means, progress: Callable[[int], None]) -> None:
        self._begin = begin
        self._means = means
        self._progress = progress
        self.done = 0

    async def round(self, batches: int | None) -> bool:
        """Once through those who are due, the longest due first. Returns whether there were any."""
        before = self.done
        under_way: deque[_Batch] = deque()
        seen = -1
        try:
            while True:
                given = None
                if batches is None or batches > 0:
                    given = await self._read(seen)
                if given is not None:
                    seen = max(given.due.values())
                    batches = None if batches is None else batches - 1
                    under_way.append(_Batch(given, self._make(given)))
                if not under_way:
                    return self.done > before
                if given is None or len(under_way) > self._means.ahead:
                    await self._finish(under_way.popleft())
        finally:
            for batch in under_way:
                batch.made.cancel()

    async def _read(self, seen: int) -> Given | None:
        async with self._begin() as connection:
            due = await _due_after(connection, seen, self._means.batch)
            return await _given(connection, due) if due else None

    def _make(self, given: Given) -> asyncio.Future[Made]:
        return asyncio.get_running_loop().run_in_executor(self._means.executor, rows_of, given)

    async def _finish(self, batch: _Batch) -> None:
        try:
            made = await batch.made
            async with self._begin() as connection:
                await _write(connection, batch.given, made)
        except Exception as error:
            if is_passing(error) or isinstance(error, BrokenExecutor):
                raise
            log.warning("derivation_refused", error=type(error).__name__)
            await self._finish_one_by_one(batch.given.due)
        self.done += len(batch.given.due)
        self._progress(self.done)

    async def _finish_one_by_one(self, due: Mapping[UUID, int]) -> None:
        for participant_id, generation in due.items():
            alone = {participant_id: generation}
            try:
                async with self._begin() as connection:
                    given = await _given(connection, alone)
                    if given is not None:
                        await _write(connection, given, await self._make(given))
            except Exception as error:
                if is_passing(error) or isinstance(error, BrokenExecutor):
                    raise
                FAILED.inc()
                log.error(
                    "participant_not_derived",
                    participant_id=str(participant_id),
                    error=type(error).__name__,  # not its words, which may repeat what is known of somebody
                    where=format_tb(error.__traceback__)[-3:],
                )
                async with self._begin() as connection:
                    await connection.execute(_NOTE_FAILURE, {**_marks(alone), "name": type(error).__name__})


async def _due_after(connection: AsyncConnection, generation: int, batch: int) -> dict[UUID, int]:
    """Participants with the generation of their mark."""
    query = (
        select(derivations_due.c.participant_id, derivations_due.c.generation)
        .where(derivations_due.c.failure.is_(None), derivations_due.c.generation > generation)
        .order_by(derivations_due.c.generation)
        .limit(batch)
    )
    return {row.participant_id: row.generation for row in await connection.execute(query)}


async def _given(connection: AsyncConnection, due: Mapping[UUID, int]) -> Given | None:
    """All that bears on them; None before the first day.

    Marks are looked at first: what is kept later marks anew, and is derived again.
    """
    day = await present_day(connection)
    if day is None:
        return None
    log_of_them = await log_that_bears_on(connection, due.keys())
    return Given(due, log_of_them, await _namings_of_mentors(connection, due.keys()), day)


async def _write(connection: AsyncConnection, given: Given, made: Made) -> None:
    """Write the rows, mark the mentors concerned, and unmark those derived, save who was marked again.

    Nobody is written whose mark is gone: somebody else has derived them, from what is at least as new.
    """
    await writing(connection)
    participants = given.due.keys()
    marked = await connection.scalar(_COUNT_MARKED, {"participants": list(participants)})
    if marked != len(participants):
        return
    await replace_rows(connection, participant_views, participants, made.views)
    await replace_rows(connection, status_history, participants, made.histories)
    mentors = await replace_rows_and_tell(
        connection, mentor_namings, participants, made.namings, mentor_namings.c.mentor_participant_id
    )
    await keeping(connection)
    await mark(connection, mentors)
    if await present_day(connection) == given.day:
        await connection.execute(_UNMARK, _marks(given.due))
    DERIVED.inc(len(participants))


def _marks(due: Mapping[UUID, int]) -> dict[str, list[UUID] | list[int]]:
    return {"participants": list(due), "generations": list(due.values())}


_COUNT_MARKED = text(
    "SELECT count(*) FROM derivations_due WHERE participant_id = ANY (CAST(:participants AS uuid[]))"
)
_UNMARK = text("""
    DELETE FROM derivations_due AS due
    USING unnest(CAST(:participants AS uuid[]), CAST(:generations AS bigint[])) AS derived (id, generation)
    WHERE due.participant_id = derived.id AND due.generation = derived.generation
""")
_NOTE_FAILURE = text("""
    UPDATE derivations_due AS due SET failure = :name
    FROM unnest(CAST(:participants AS uuid[]), CAST(:generations AS bigint[])) AS tried (id, generation)
    WHERE due.participant_id = tried.id AND due.generation = tried.generation
""")
_MENTORS = bindparam("mentors", type_=ARRAY(Uuid))


async def _namings_of_mentors(connection: AsyncConnection, mentors: Collection[UUID]) -> list[Naming]:
    columns = [mentor_namings.c[field.name] for field in fields(Naming)]
    query = select(*columns).where(mentor_namings.c.mentor_participant_id == any_(_MENTORS))
    return [Naming(*row) for row in await connection.execute(query, {"mentors": list(mentors)})]

"""From the log to the rows that pages show: whoever is marked is derived anew, whatever the mark was for.

So it does not matter in which order events came, nor whether one came twice, and a rebuild is the same
thing for everybody.
"""

import asyncio
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import fields
from datetime import date
from itertools import chain
from traceback import format_tb
from uuid import UUID

import structlog
from prometheus_client import Counter, Gauge
from sqlalchemy import ARRAY, Uuid, any_, bindparam, delete, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.participants.days import present_day
from services.participants.domain.facts import School, organisation_of, school_of
from services.participants.domain.mentoring import Naming, namings
from services.participants.domain.received import in_order
from services.participants.domain.view import Names, ParticipantView, derive, searchable
from services.participants.locks import deriving, keeping
from services.participants.received_log import Known, known_of, mark, referred_by
from services.participants.rows import replace_rows
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
BREATH = 20
"""Participants derived before requests of the same process get their turn."""


class Derivation:
    """Keeps the rows up with the log. May run in several processes at once."""

    def __init__(self, engine: AsyncEngine, batch: int) -> None:
        self._engine = engine
        self._batch = batch
        self._due = asyncio.Event()

    def wake(self) -> None:
        """Say that something is due, or will be when the present transaction has committed."""
        self._due.set()

    async def run(self) -> None:
        """Never returns."""
        while True:
            try:
                await derive_all_due(self._engine.begin, self._batch)
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


async def derive_all_due(
    begin: Begin, batch: int, progress: Callable[[int], None] = lambda done: None
) -> int:
    """Derive until nothing is due. Returns how many it derived; progress: so far.

    Who cannot be derived is noted with the reason and left aside, and the others go on.
    """
    done = 0
    while True:
        try:
            derived = await derive_due(begin, batch)
        except Exception as error:
            if is_passing(error):
                raise
            log.warning("derivation_refused", error=type(error).__name__)
            derived = await _derive_one_by_one(begin, batch)
        if not derived:
            return done
        done += derived
        progress(done)


async def derive_due(begin: Begin, batch: int) -> int:
    """Derive those who are due longest, `batch` at most, in one transaction. Returns how many they were.

    None are before the service has begun its first day: statuses are those of a day.
    """
    async with begin() as connection:
        await deriving(connection)
        day = await present_day(connection)
        due = await _longest_due(connection, batch)
        if day is None or not due:
            return 0
        await _derive(connection, due, day)
        return len(due)


async def _derive_one_by_one(begin: Begin, batch: int) -> int:
    async with begin() as connection:
        await deriving(connection)
        day = await present_day(connection)
        due = await _longest_due(connection, batch)
        if day is None:
            return 0
        for participant_id, generation in due.items():
            try:
                async with connection.begin_nested():
                    await _derive(connection, {participant_id: generation}, day)
            except Exception as error:
                if is_passing(error):
                    raise
                FAILED.inc()
                log.error(
                    "participant_not_derived",
                    participant_id=str(participant_id),
                    error=type(error).__name__,  # not its words, which may repeat what is known of somebody
                    where=format_tb(error.__traceback__)[-3:],
                )
                await connection.execute(
                    update(derivations_due)
                    .where(
                        derivations_due.c.participant_id == participant_id,
                        derivations_due.c.generation == generation,
                    )
                    .values(failure=type(error).__name__)
                )
        return len(due)


async def _longest_due(connection: AsyncConnection, batch: int) -> dict[UUID, int]:
    """Participants with the generation of their mark."""
    query = (
        select(derivations_due.c.participant_id, derivations_due.c.generation)
        .where(derivations_due.c.failure.is_(None))
        .order_by(derivations_due.c.generation)
        .limit(batch)
    )
    return {row.participant_id: row.generation for row in await connection.execute(query)}


async def _derive(connection: AsyncConnection, due: Mapping[UUID, int], day: date) -> None:
    own = await known_of(connection, due.keys())
    around = await referred_by(connection, chain.from_iterable(own.participants.values()))
    above = await referred_by(connection, chain.from_iterable(around.partnerships.values()))
    names = Names(lead_providers=_organisation_names(above), schools=_schools(around))
    named = await _namings_of_mentors(connection, due.keys())

    views: list[ParticipantView] = []
    said: list[Naming] = []
    for number, participant_id in enumerate(due, 1):
        events = own.participants.get(participant_id, [])
        views += derive(events, around.partnerships, names, named.get(participant_id, ()), day)
        said += namings(events)
        if number % BREATH == 0:
            await asyncio.sleep(0)

    await replace_rows(connection, participant_views, due.keys(), [_view_row(view) for view in views])
    await replace_rows(
        connection, status_history, due.keys(), [r for view in views for r in _history_rows(view)]
    )
    changed = await replace_rows(connection, mentor_namings, due.keys(), list(_naming_rows(said)))
    await _settle(connection, due, day, {row.mentor_participant_id for row in changed})
    DERIVED.inc(len(due))


async def _settle(
    connection: AsyncConnection, due: Mapping[UUID, int], day: date, mentors: Collection[UUID]
) -> None:
    """Mark the mentors concerned, and unmark those derived, save who was marked again meanwhile."""
    await keeping(connection)
    await mark(connection, mentors)
    if await present_day(connection) == day:
        marks = tuple_(derivations_due.c.participant_id, derivations_due.c.generation)
        await connection.execute(delete(derivations_due).where(marks.in_(list(due.items()))))


def _schools(known: Known) -> dict[UUID, School]:
    return {id_: school_of(in_order(events)[-1][1].event) for id_, events in known.schools.items()}


def _organisation_names(known: Known) -> dict[UUID, str]:
    return {
        id_: organisation_of(in_order(events)[-1][1].event).name
        for id_, events in known.organisations.items()
    }


_MENTORS = bindparam("mentors", type_=ARRAY(Uuid))


async def _namings_of_mentors(
    connection: AsyncConnection, mentors: Collection[UUID]
) -> dict[UUID, list[Naming]]:
    columns = [mentor_namings.c[field.name] for field in fields(Naming)]
    query = select(*columns).where(mentor_namings.c.mentor_participant_id == any_(_MENTORS))
    found: dict[UUID, list[Naming]] = {}
    for row in await connection.execute(query, {"mentors": list(mentors)}):
        found.setdefault(row.mentor_participant_id, []).append(Naming(**row._mapping))
    return found


_VIEW_COLUMNS = [str(c.name) for c in participant_views.columns if c.name != "sort_name"]


def _view_row(view: ParticipantView) -> dict[str, object]:
    row = {name: getattr(view, name) for name in _VIEW_COLUMNS}
    return {**row, "sort_name": searchable(view.full_name)}


def _history_rows(view: ParticipantView) -> Iterator[dict[str, object]]:
    for number, change in enumerate(view.history):
        yield {
            "participant_id": view.participant_id,
            "organisation_id": view.organisation_id,
            "organisation_kind": view.organisation_kind,
            "number": number,
            "since": change.since,
            "status": change.status,
            "state": change.state,
            "received_at": change.received_at,
        }


def _naming_rows(said: Sequence[Naming]) -> Iterator[dict[str, object]]:
    counted: dict[tuple[UUID, UUID], int] = {}
    for naming in said:
        pair = naming.participant_id, naming.mentor_participant_id
        counted[pair] = number = counted.get(pair, 0) + 1
        yield {**{field.name: getattr(naming, field.name) for field in fields(naming)}, "number": number}

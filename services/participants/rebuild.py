"""The read model of participants for a rebuild: derived from the service's own log, as it always is.

The neighbour is not asked: the log also holds what came by HTTP and from files, and when each event came.
"""

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy import case, null, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.participants.consumers import ManageEcts
from services.participants.days import mark_due, present_day
from services.participants.derivation import Means, derive_all_due
from services.participants.incoming import REFERRING_TYPES, Bearing, bearing_in_log
from services.participants.locks import deriving, keeping, writing
from services.participants.received_log import mark, spread
from services.participants.tables import (
    derivations_due,
    mentor_namings,
    participant_views,
    received_events,
    status_history,
)
from services.participants.tables import present_day as days
from shared.bus.rebuilding import Report
from shared.database.difference import count
from shared.database.shadow import Shadow

BATCH = 2_000
"""Events looked at in one transaction."""


class DerivedRows:
    """A ReadModel. Who cannot be derived keeps the rows that they have, as in the live model.

    progress: "events read" or "participants derived", and how many so far.
    """

    tables = ManageEcts.tables
    sources = (received_events, days)

    def __init__(self, means: Means, progress: Callable[[str, int], None]) -> None:
        self._means = means
        self._progress = progress
        self._read = 0
        self._position = 0

    async def catch_up(self, shadow: Shadow) -> None:
        """Mark whom the log speaks of, and derive them, until hardly anything is new."""
        while True:
            read = await self._read_log(shadow)
            await self._look_at_the_day(shadow)
            await derive_all_due(
                shadow.begin,
                self._means,
                lambda done: self._progress("participants derived", done),
            )
            if read < BATCH:
                break
        async with shadow.begin() as connection:
            for statement in (*_KEEP_ROWS_OF_THE_UNDERIVED, _KEEP_REFERENCES_OF_THE_UNDERIVED):
                await connection.execute(statement)

    async def _read_log(self, shadow: Shadow) -> int:
        """Mark whom the rest of the log concerns. Returns how many events that were."""
        before = self._read
        while True:
            query = (
                select(received_events.c.position, received_events.c.subject, received_events.c.type, _DATA)
                .where(received_events.c.position > self._position)
                .order_by(received_events.c.position)
                .limit(BATCH)
            )
            async with shadow.begin() as connection:
                rows = (await connection.execute(query)).all()
                await _mark_concerned(connection, rows)
            if not rows:
                return self._read - before
            self._read, self._position = self._read + len(rows), rows[-1].position
            self._progress("events read", self._read)

    async def _look_at_the_day(self, shadow: Shadow) -> None:
        """A day may have begun since some were derived."""
        async with shadow.begin() as connection:
            if day := await present_day(connection):
                await mark_due(connection, day)

    async def hold(self, connection: AsyncConnection) -> None:
        await deriving(connection)
        await writing(connection)
        await keeping(connection)

    async def compare_unapplied(self, connection: AsyncConnection) -> Report:
        return {derivations_due.name: await count(connection, _COMPARE_UNDERIVED)}

    async def settle_unapplied(self, connection: AsyncConnection) -> None:
        """Whoever was due has been derived, up to the end of the log."""
        for statement in _TAKE_MARKS:
            await connection.execute(statement)


async def _mark_concerned(connection: AsyncConnection, rows: Sequence[Any]) -> None:
    """Whose event this code cannot read is marked as well: they will not be derived, and are told of."""
    bearings: list[Bearing] = []
    unread: set[UUID] = set()
    for row in rows:
        try:
            bearings.append(bearing_in_log(row.subject, row.type, row.data))
        except ValidationError:
            unread.add(row.subject)
    await spread(connection, bearings)
    await mark(connection, unread)


_DATA = case((received_events.c.type.in_(REFERRING_TYPES), received_events.c.data), else_=null()).label(
    "data"
)
"""Only of those events that refer to others the content matters here."""

_KEEP_REFERENCES_OF_THE_UNDERIVED = text(
    "INSERT INTO pg_temp.subject_references SELECT * FROM public.subject_references"
    " WHERE referrer_id IN (SELECT participant_id FROM pg_temp.derivations_due) ON CONFLICT DO NOTHING"
)
_KEEP_ROWS_OF_THE_UNDERIVED = [
    text(statement.format(table=table.name))
    for table in (mentor_namings, participant_views, status_history)
    for statement in (
        "DELETE FROM pg_temp.{table}"
        " WHERE participant_id IN (SELECT participant_id FROM pg_temp.derivations_due)",
        "INSERT INTO pg_temp.{table} SELECT * FROM public.{table}"
        " WHERE participant_id IN (SELECT participant_id FROM pg_temp.derivations_due)",
    )
]
_COMPARE_UNDERIVED = """
    SELECT
        count(*) FILTER (WHERE live.failure = new.failure),
        count(*) FILTER (WHERE live.participant_id IS NULL),
        count(*) FILTER (WHERE live.failure <> new.failure),
        count(*) FILTER (WHERE new.participant_id IS NULL)
    FROM (SELECT * FROM public.derivations_due WHERE failure IS NOT NULL) AS live
    FULL JOIN (SELECT * FROM pg_temp.derivations_due WHERE failure IS NOT NULL) AS new
    ON live.participant_id = new.participant_id
"""
_TAKE_MARKS = (
    text("DELETE FROM public.derivations_due"),
    text(
        "INSERT INTO public.derivations_due (participant_id, generation, failure)"
        " SELECT participant_id, nextval('public.derivation_generations'), failure"
        " FROM pg_temp.derivations_due"
    ),
)

"""The day for which rows are derived, and what a new one changes.

Some statuses change with the calendar: who leaves has left when the day comes. Each row says on which day
it is due again. That a day began is an event, so that a rebuild gives the same rows as the service had.
"""

import asyncio
from collections.abc import Callable
from datetime import date, datetime, time, timedelta

import structlog
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.participants import tables
from services.participants.events import DayBegan, Event
from services.participants.locks import keeping
from services.participants.received_log import mark
from services.participants.tables import participant_views
from shared.clock import LONDON, Clock, london_day
from shared.database.errors import AWAY, is_passing
from shared.event_store import ANY, EventStore

log = structlog.get_logger(__name__)

STREAM = "days"
LOOK_SECONDS = 60.0
"""A clock may be set and a machine may sleep, so the time is looked at more often than once a day."""


async def present_day(connection: AsyncConnection) -> date | None:
    """Return the day that began last; None before the first."""
    return await connection.scalar(select(tables.present_day.c.day))


async def begin_day(store: EventStore[Event], clock: Clock) -> bool:
    """Begin today, in London, unless it has begun: record it, and mark who is due. Returns whether it did."""
    async with store.transaction() as transaction:
        connection = transaction.connection
        await keeping(connection)
        today = london_day(clock())
        began = await present_day(connection)
        if began is not None and today <= began:
            return False
        await transaction.append(STREAM, [DayBegan(today)], expected=ANY, actor=None)
        row = insert(tables.present_day).values(one=True, day=today)
        await connection.execute(
            row.on_conflict_do_update(index_elements=["one"], set_={"day": row.excluded.day})
        )
        await mark_due(connection, today)
    log.info("day_began", day=today.isoformat())
    return True


async def mark_due(connection: AsyncConnection, today: date) -> None:
    """Mark those whose rows were derived for an earlier day, and may change with this one."""
    due = select(participant_views.c.participant_id).where(participant_views.c.next_due <= today)
    await mark(connection, set((await connection.scalars(due)).all()))


async def keep_days(store: EventStore[Event], clock: Clock, began: Callable[[], None]) -> None:
    """Begin each day when it comes, and say so. Never returns."""
    while True:
        try:
            if await begin_day(store, clock):
                began()
        except AWAY as error:
            if not is_passing(error):
                raise
            log.warning("day_delayed", error=type(error).__name__)
        await asyncio.sleep(min(LOOK_SECONDS, _seconds_to_midnight(clock())))


def _seconds_to_midnight(now: datetime) -> float:
    tomorrow = london_day(now) + timedelta(days=1)
    return max(0.05, (datetime.combine(tomorrow, time(), LONDON) - now).total_seconds())

"""An organisation's participants in numbers: by status, by academic year, and what happened week by week."""

from datetime import date, datetime, time, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import BigInteger, ColumnElement, Date, cast, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.participants.domain.status import Status
from services.participants.tables import participant_counts as counts
from services.participants.tables import status_history as history
from shared.clock import LONDON
from shared.contracts.manage_ects import ParticipantRole
from shared.contracts.participants import ParticipantSummary, WeekCounts, YearCounts

WEEKS: Final = 12
FIRST: Final = 0
"""Number of the change with which a participant came to the organisation."""


async def summarise(
    connection: AsyncConnection, kind: str, organisation_id: UUID, today: date
) -> ParticipantSummary:
    """connection: in a transaction that reads for this organisation. today: in England."""
    own = (counts.c.organisation_id == organisation_id, counts.c.organisation_kind == kind)
    statuses = await connection.execute(
        select(counts.c.status, _number()).where(*own).group_by(counts.c.status)
    )
    by_status = {status.value: 0 for status in Status} | {row[0]: row[1] for row in statuses}
    ects = _number(counts.c.role == ParticipantRole.ECT.value)
    mentors = _number(counts.c.role == ParticipantRole.MENTOR.value)
    year = counts.c.academic_year
    present = (*own, counts.c.participants > 0)
    years = await connection.execute(
        select(year, ects, mentors).where(*present).group_by(year).order_by(year)
    )
    return ParticipantSummary(
        total=sum(by_status.values()),
        by_status=by_status,
        by_academic_year=[YearCounts(academic_year=row[0], ects=row[1], mentors=row[2]) for row in years],
        weeks=await _weeks(connection, kind, organisation_id, today),
    )


def _number(*which: ColumnElement[bool]) -> ColumnElement[int]:
    return cast(func.coalesce(func.sum(counts.c.participants).filter(*which), 0), BigInteger)


async def _weeks(
    connection: AsyncConnection, kind: str, organisation_id: UUID, today: date
) -> list[WeekCounts]:
    """The last weeks with the present one, oldest first; those in which nothing happened too."""
    monday = today - timedelta(days=today.weekday())
    mondays = [monday - timedelta(weeks=ago) for ago in reversed(range(WEEKS))]
    week = cast(func.date_trunc("week", func.timezone(LONDON.key, history.c.since)), Date)
    found = await connection.execute(
        select(
            week,
            func.count().filter(history.c.number == FIRST),
            func.count().filter(history.c.number > FIRST),
        )
        .where(
            history.c.organisation_id == organisation_id,
            history.c.organisation_kind == kind,
            history.c.since >= _midnight(mondays[0]),
            history.c.since < _midnight(monday + timedelta(weeks=1)),
        )
        .group_by(week)
    )
    happened = {row[0]: (row[1], row[2]) for row in found}
    return [
        WeekCounts(
            monday=each, registered=happened.get(each, (0, 0))[0], changed=happened.get(each, (0, 0))[1]
        )
        for each in mondays
    ]


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), LONDON)

"""An organisation's participants in numbers: by status, by academic year, and what happened week by week."""

from collections import Counter, defaultdict
from datetime import date, datetime, time, timedelta
from typing import Final

import asyncpg

from services.participants.domain.status import Status
from services.participants.list_sql import ORGANISATION
from services.participants.scope import Scope
from shared.clock import LONDON
from shared.contracts.manage_ects import ParticipantRole
from shared.contracts.participants import ParticipantSummary, WeekCounts, YearCounts

WEEKS: Final = 12

COUNTS: Final = f"""
    SELECT status, academic_year, role, participants FROM participant_counts
    WHERE {ORGANISATION} AND participants > 0
"""  # noqa: S608
"""A row for each kind of participant, of which there are at most some hundred."""

HAPPENED: Final = f"""
    SELECT CAST(date_trunc('week', timezone('{LONDON.key}', since)) AS date) AS monday,
        count(*) FILTER (WHERE number = 0) AS registered, count(*) FILTER (WHERE number > 0) AS changed
    FROM status_history WHERE {ORGANISATION} AND since >= $3 AND since < $4
    GROUP BY 1
"""  # noqa: S608
"""Change 0 is the one with which a participant came to the organisation."""


async def summarise(
    connection: asyncpg.Connection, scope: Scope, today: date, as_of: datetime | None = None
) -> ParticipantSummary:
    """connection: in a transaction for this organisation. today: in England. as_of: the replica's."""
    by_status = {status.value: 0 for status in Status}
    by_year: dict[int, Counter[str]] = defaultdict(Counter)
    for row in await connection.fetch(COUNTS, scope.organisation_id, scope.kind.value):
        by_status[row["status"]] += row["participants"]
        by_year[row["academic_year"]][row["role"]] += row["participants"]
    return ParticipantSummary(
        total=sum(by_status.values()),
        by_status=by_status,
        by_academic_year=[
            YearCounts(
                academic_year=year, ects=roles[ParticipantRole.ECT], mentors=roles[ParticipantRole.MENTOR]
            )
            for year, roles in sorted(by_year.items())
        ],
        weeks=await _weeks(connection, scope, today),
        as_of=as_of,
    )


async def _weeks(connection: asyncpg.Connection, scope: Scope, today: date) -> list[WeekCounts]:
    """The last weeks with the present one, oldest first; those in which nothing happened too."""
    monday = today - timedelta(days=today.weekday())
    mondays = [monday - timedelta(weeks=ago) for ago in reversed(range(WEEKS))]
    end = _midnight(monday + timedelta(weeks=1))
    found = await connection.fetch(
        HAPPENED, scope.organisation_id, scope.kind.value, _midnight(mondays[0]), end
    )
    happened = {row["monday"]: (row["registered"], row["changed"]) for row in found}
    return [
        WeekCounts(monday=each, registered=registered, changed=changed)
        for each in mondays
        for registered, changed in [happened.get(each, (0, 0))]
    ]


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), LONDON)

"""An organisation's participants at a glance: numbers, drawn and in tables."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from services.gateway import content, dates
from services.gateway.charts import Columns, columns, percent
from services.gateway.list_view import ListView
from services.gateway.rendering import page
from services.gateway.visitor import Visitor, visiting
from shared.contracts.participants import ParticipantSummary, WeekCounts

router = APIRouter()

User = Annotated[Visitor, Depends(visiting(*content.USERS, calls="participants"))]

EVERY_THIRD = 3
"""Weeks that get a label: on a phone there is room for no more."""


@router.get("/summary")
async def summary(request: Request, user: User) -> Response:
    found = await user.participants.summary()
    return page(
        request,
        "summary.html",
        total=found.total,
        as_of=found.as_of,
        by_status=_by_status(found),
        by_year=_by_year(found),
        weeks=found.weeks,
        drawn=_drawn(found.weeks),
        registered=sum(week.registered for week in found.weeks),
        changed=sum(week.changed for week in found.weeks),
    )


def _by_status(found: ParticipantSummary) -> list[dict[str, Any]]:
    largest = max(found.by_status.values(), default=0)
    return [
        {
            "text": tag.text,
            "colour": tag.colour,
            "count": (count := found.by_status.get(slug, 0)),
            "length": percent(count, largest),
            "href": ListView((("status", slug),)).url,
        }
        for slug, tag in content.STATUSES.items()
    ]


def _by_year(found: ParticipantSummary) -> list[dict[str, Any]]:
    largest = max((year.ects + year.mentors for year in found.by_academic_year), default=0)
    return [
        {
            "text": dates.academic_year(year.academic_year),
            "href": ListView((("academic_year", str(year.academic_year)),)).url,
            "ects": year.ects,
            "mentors": year.mentors,
            "ects_length": percent(year.ects, largest),
            "mentors_length": percent(year.mentors, largest),
        }
        for year in found.by_academic_year
    ]


def _drawn(weeks: list[WeekCounts]) -> Columns:
    last = len(weeks) - 1
    return columns(
        [
            (
                dates.short_day(week.monday) if (last - number) % EVERY_THIRD == 0 else "",
                [("changed", week.changed), ("registered", week.registered)],
            )
            for number, week in enumerate(weeks)
        ]
    )

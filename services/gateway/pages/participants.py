"""The list of participants, and one of them."""

import re
from datetime import datetime, timedelta
from typing import Annotated, Any, Final
from uuid import UUID, uuid4

from fastapi import APIRouter, Depends, Request, Response

from services.gateway import content, dates
from services.gateway.backend import Refusal
from services.gateway.forms import Form
from services.gateway.language import N_, Sentences, gettext, told
from services.gateway.list_view import OF_A_FILE, PATH, SEARCH_AND_FILTERS, ListView
from services.gateway.paging import pagination
from services.gateway.rendering import page
from services.gateway.told_limits import ToldLimits
from services.gateway.visitor import Visitor, visiting
from shared.clock import LONDON
from shared.contracts.export import ExportLimits
from shared.contracts.participants import ParticipantPage

router = APIRouter()

User = Annotated[Visitor, Depends(visiting(*content.USERS, calls="participants"))]


def _export_when_limits_are_due(request: Request) -> tuple[str, ...]:
    """A token costs auth a signature, and most pages need none for export."""
    told: ToldLimits = request.app.state.told_limits
    return ("export",) if told.due else ()


Lister = Annotated[
    Visitor,
    Depends(visiting(*content.USERS, calls="participants", and_calls=_export_when_limits_are_due)),
]

FIRST_ACADEMIC_YEAR: Final = 2021
YEAR: Final = re.compile(r"[0-9]{1,4}")
SEPTEMBER: Final = 9
CHANGED: Final = "changed_since"
LAST_VISIT: Final = "last-visit"
NAMES: Final = Sentences(
    {
        "q": N_("Search"),
        "role": N_("Role"),
        "academic_year": N_("Academic year"),
        "status": N_("Status"),
        "changed_since": N_("Status changed"),
    }
)
"""Of what a list is searched and filtered by."""
NOT_THE_QUERY: Final = frozenset({"done"})


@router.get(PATH)
async def participants(request: Request, user: Lister) -> Response:
    view = ListView.of((n, v) for n, v in request.query_params.multi_items() if n not in NOT_THE_QUERY)
    try:
        found = await user.participants.page(view.parameters)
    except Refusal as refusal:
        if refusal.status not in (404, 422):
            raise
        return _not_understood(request, view, refusal)
    return page(
        request,
        "participants/list.html",
        **_filters(view, found.academic_years),
        found=found,
        by_status=_by_status(view, found),
        pagination=pagination(found.page, found.pages, lambda number: view.at_page(number).url),
        sorts=_sorts(view),
        export_fields=_export_fields(view, found),
        idempotency_key=uuid4(),
        limits=await _limits(request, user),
    )


@router.get(PATH + "/{participant_id}")
async def participant(request: Request, user: User, participant_id: UUID) -> Response:
    detail = await user.participants.one(participant_id)
    back = ListView.read(request.query_params.get("list", ""))
    return page(request, "participants/one.html", detail=detail, row=detail.participant, back=back.url)


def _not_understood(request: Request, view: ListView, refusal: Refusal) -> Response:
    """The same page without a list: what is wrong, and the form to put it right. It stays a 4xx."""
    form = Form()
    for error in refusal.errors:
        name = error.field or "q"
        said = f"{_named(name)}: {told(error.message)}"
        form.errors[name] = content.NOT_IN_THE_LIST.get(name, said)
        form.anchors[name] = name if name in SEARCH_AND_FILTERS else "q"
    if not form.errors:
        form.errors["page"] = _no_such_page(refusal)
        form.anchors["page"] = "q"
    years = list(range(FIRST_ACADEMIC_YEAR, _present_academic_year() + 1))
    status = 404 if refusal.status == 404 else 400
    first_page = view.at_page(1).url if refusal.status == 404 else None
    return page(
        request,
        "participants/not_understood.html",
        status,
        **_filters(view, years),
        form=form,
        first_page=first_page,
    )


def _named(field: str) -> str:
    return NAMES.get(field) or gettext("“%(field)s” in the address", field=field)


def _no_such_page(refusal: Refusal) -> str:
    if refusal.code == "page-past-the-end":
        return gettext("There is no such page: the list is shorter now, or the address is wrong.")
    said: str = told(refusal.detail)
    return said


def _filters(view: ListView, academic_years: list[int]) -> dict[str, Any]:
    """The search box, the choices of the filter, and the links that take a chosen one away."""
    chosen_years = {int(y) for y in view.values("academic_year") if YEAR.fullmatch(y)}
    years = {str(y): dates.academic_year(y) for y in sorted({*academic_years, *chosen_years}, reverse=True)}
    statuses = {slug: tag.text for slug, tag in content.STATUSES.items()}
    choices = {
        "role": content.PARTICIPANT_ROLES,
        "academic_year": years,
        "status": statuses,
        CHANGED: _changes(view),
    }
    return {
        "view": view,
        "filters": [
            {
                "name": name,
                "legend": _named(name),
                "choices": offered,
                "chosen": view.values(name),
                "one": name == CHANGED,
            }
            for name, offered in choices.items()
        ],
        "chosen": [
            {
                "group": _named(name),
                "text": choices[name].get(value, value),
                "href": view.without(name, value).url,
            }
            for name, value in view.parameters
            if name in choices
        ],
    }


def _changes(view: ListView) -> dict[str, str]:
    """Since when: what is offered, and what the address says besides."""
    today = datetime.now(LONDON).date()
    offered = {"": gettext("At any time"), LAST_VISIT: gettext("Since your last visit")}
    for days in (7, 30):
        offered[(today - timedelta(days=days)).isoformat()] = gettext("In the last %(days)s days", days=days)
    return offered | {
        value: _capitalised(dates.since(value)) for value in view.values(CHANGED) if value not in offered
    }


def _capitalised(words: str) -> str:
    return words[:1].upper() + words[1:]


def _sorts(view: ListView) -> list[dict[str, Any]]:
    chosen = view.values("sort") or ["name"]
    return [
        {
            "text": text,
            "href": view.only("sort", None if value == "name" else value).url,
            "current": chosen == [value],
        }
        for value, text in content.ORDERS.items()
    ]


async def _limits(request: Request, user: Visitor) -> ExportLimits | None:
    told: ToldLimits = request.app.state.told_limits
    return await told.of(user.exports if user.may_call_export else None)


def _export_fields(view: ListView, found: ParticipantPage) -> list[tuple[str, str]]:
    """What the file is to hold: the last visit as the moment that it was when this page was made."""
    fields = [pair for pair in view.parameters if pair[0] in OF_A_FILE]
    if (CHANGED, LAST_VISIT) in fields:
        fields.remove((CHANGED, LAST_VISIT))
        if found.changed_since:
            fields.append((CHANGED, found.changed_since.isoformat()))
    return fields


def _by_status(view: ListView, found: ParticipantPage) -> list[dict[str, Any]]:
    """How many there are of each status, each a link to just those."""
    chosen = view.values("status")
    return [
        {
            "text": tag.text,
            "colour": tag.colour,
            "count": found.by_status.get(slug, 0),
            "href": view.only("status", slug).url,
            "current": chosen == [slug],
        }
        for slug, tag in content.STATUSES.items()
    ]


def _present_academic_year() -> int:
    today = datetime.now(LONDON)
    return today.year if today.month >= SEPTEMBER else today.year - 1

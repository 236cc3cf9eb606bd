"""The HTTP interface: lists, one participant, rows for an export, and events in."""

from dataclasses import replace
from typing import Annotated
from uuid import UUID

import orjson
from fastapi import APIRouter, Body, Depends, Request, Response
from pydantic import JsonValue

from services.participants.csv_answer import CsvAnswer
from services.participants.derivation import Derivation
from services.participants.events import Event, ListViewed, ParticipantViewed
from services.participants.list_query import (
    LARGEST_PAGE,
    LONGEST_SEARCH,
    PAGE_SIZE,
    LastVisit,
    ListQuery,
    read_page_query,
)
from services.participants.queries import Json, PagePastTheEnd, ParticipantQueries
from services.participants.receiving import Outcome, receive
from services.participants.rows_query import read_rows_query
from services.participants.scope import Scope
from services.participants.views_log import record_view
from services.participants.visits import Visits
from shared.clock import Clock, london_day
from shared.contracts.manage_ects import OrganisationKind
from shared.contracts.participants import (
    ParticipantDetail,
    ParticipantPage,
    ParticipantSummary,
    Receipts,
    ReceiveAnswer,
)
from shared.contracts.roles import Role
from shared.event_store import EventStore
from shared.web.caller import PersonCaller, ServiceCaller, person, service
from shared.web.problems import Problem, not_found

MOST_EVENTS = 1_000
"""In one batch."""

router = APIRouter()


def _parameter(name: str, description: str, *, of: str = "string", many: bool = False) -> dict[str, object]:
    """For the OpenAPI document: the query is read by list_query, which names all that is wrong at once."""
    one = {"type": of}
    schema = {"type": "array", "items": one} if many else one
    return {"name": name, "in": "query", "required": False, "description": description, "schema": schema}


FILTERS = [
    _parameter("q", f"Words that must all be there, {LONGEST_SEARCH} characters at most."),
    _parameter("role", "`ect` or `mentor`.", many=True),
    _parameter("academic_year", "The year in which it starts.", of="integer", many=True),
    _parameter("status", "A status by its slug.", many=True),
    _parameter(
        "changed_since",
        "A day from which on it changed; `last-visit` or a moment: what changed or became known since.",
    ),
    _parameter("sort", "`name`, or `changed` for when the status last did; `-name` or `-changed` backwards."),
]
SHAPE = [
    _parameter("column", "A column of the file; all of them unless told.", many=True),
    _parameter("formulas", "Text that a spreadsheet would run: `harmless` unless told, or `as_they_are`."),
]
PAGING = [
    _parameter("page", "From 1.", of="integer"),
    _parameter("size", f"Rows on a page: {PAGE_SIZE} unless told, {LARGEST_PAGE} at most.", of="integer"),
]

Viewer = Annotated[PersonCaller, Depends(person(Role.DELIVERY_PARTNER, Role.APPROPRIATE_BODY))]
Neighbour = Annotated[ServiceCaller, Depends(service("manage_ects"))]


async def _queries(request: Request) -> ParticipantQueries:
    queries: ParticipantQueries = request.app.state.queries
    return queries


async def _store(request: Request) -> EventStore[Event]:
    store: EventStore[Event] = request.app.state.store
    return store


async def _derivation(request: Request) -> Derivation:
    derivation: Derivation = request.app.state.derivation
    return derivation


async def _scope(caller: Viewer) -> Scope:
    """The organisation of the token, and no other: nothing else in a request can name one."""
    if caller.organisation_id is None:
        raise Problem(403, "no-organisation", "The role of this session belongs to no organisation.")
    return Scope(OrganisationKind(caller.role.value), caller.organisation_id)


Queries = Annotated[ParticipantQueries, Depends(_queries)]
Store = Annotated[EventStore[Event], Depends(_store)]
OwnScope = Annotated[Scope, Depends(_scope)]


async def _resolved(query: ListQuery, caller: Viewer, scope: Scope, visits: Visits) -> ListQuery:
    """With the moment of the last visit in its place. On a first visit nothing is left out."""
    if not isinstance(query.changed_since, LastVisit):
        return query
    return replace(query, changed_since=await visits.last(caller, scope))


@router.get(
    "/participants",
    tags=["participants"],
    response_model=ParticipantPage,
    openapi_extra={"parameters": FILTERS + PAGING},
)
async def participants(
    request: Request, caller: Viewer, scope: OwnScope, queries: Queries, store: Store
) -> Response:
    """One page of the organisation's list, with the counts by status of what search, role and year find."""
    asked, paging = read_page_query(request.query_params)
    visits: Visits = request.app.state.visits
    clock: Clock = request.app.state.clock
    query = await _resolved(asked, caller, scope, visits)
    try:
        page = await queries.page(scope, query, paging)
    except PagePastTheEnd as past:
        many = "There is 1 page." if past.pages == 1 else f"There are {past.pages} pages."
        raise Problem(404, "page-past-the-end", f"{many} Go to one of them.") from past
    await record_view(
        store,
        ListViewed(
            person_id=caller.person_id,
            role=caller.role,
            organisation_id=scope.organisation_id,
            searched=bool(query.words),
            filters=asked.filters,
            page=paging.page,
            total=page.total,
            participant_ids=page.participant_ids,
        ),
    )
    await visits.note(caller, scope, clock())
    return _json(page.body)


@router.get(
    "/participants/rows",
    tags=["participants"],
    response_class=Response,
    responses={200: {"content": {"text/csv": {}}}},
    openapi_extra={"parameters": FILTERS + SHAPE},
)
async def rows(request: Request, caller: Viewer, scope: OwnScope, queries: Queries) -> Response:
    """All rows of a list as CSV, for a file. Query as for the list without paging; and column, formulas."""
    asked = read_rows_query(request.query_params)
    found = await _resolved(asked.found, caller, scope, request.app.state.visits)
    total, records = await queries.records(scope, replace(asked, found=found))
    return CsvAnswer(total, records)


@router.get("/participants/summary", tags=["participants"])
async def summary(request: Request, scope: OwnScope, queries: Queries) -> ParticipantSummary:
    """The organisation in numbers. Nobody is seen, so no view is recorded."""
    clock: Clock = request.app.state.clock
    return await queries.summary(scope, london_day(clock()))


@router.get("/participants/{participant_id}", tags=["participants"], response_model=ParticipantDetail)
async def participant(
    participant_id: str, caller: Viewer, scope: OwnScope, queries: Queries, store: Store
) -> Response:
    """One participant of the organisation, with the history of the status."""
    wanted = _uuid(participant_id)
    detail = await queries.one(scope, wanted)
    if detail is None:
        raise not_found()
    await record_view(
        store,
        ParticipantViewed(
            person_id=caller.person_id,
            role=caller.role,
            organisation_id=scope.organisation_id,
            participant_id=wanted,
        ),
    )
    return _json(detail)


@router.post("/events", tags=["events"])
async def receive_events(
    _caller: Neighbour,
    store: Store,
    derivation: Annotated[Derivation, Depends(_derivation)],
    events: Annotated[list[JsonValue], Body(min_length=1, max_length=MOST_EVENTS)],
) -> Receipts:
    """Take CloudEvents of Manage ECTs, 1 to 1,000. Each is answered; a bad one stops no other."""
    answers = await receive(store.engine, events)
    derivation.wake()
    outcomes = [answer.outcome for answer in answers]
    return Receipts(
        answers=[ReceiveAnswer(id=a.id, outcome=a.outcome.value, reason=a.reason) for a in answers],
        accepted=outcomes.count(Outcome.ACCEPTED),
        duplicates=outcomes.count(Outcome.DUPLICATE),
        parked=outcomes.count(Outcome.PARKED),
    )


def _json(body: Json) -> Response:
    return Response(orjson.dumps(body, option=orjson.OPT_UTC_Z), media_type="application/json")


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise not_found() from None

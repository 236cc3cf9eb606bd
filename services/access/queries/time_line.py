"""One request in full: its steps from its own stream, and what the register said."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from services.access.domain.coverage import Coverage
from services.access.domain.events import (
    ByPerson,
    Event,
    InformationGiven,
    LeadProviderAsked,
    PolicyCheckPassed,
    RequestDeclined,
    RequestExpired,
    RequestGranted,
    RequestReminded,
    RequestReturned,
    RequestSubmitted,
    RequestWithdrawn,
    Step,
    TriagePassed,
    UserConfirmed,
)
from services.access.domain.request import RequestState
from services.access.domain.vocabulary import Actor, Role
from services.access.queries.people import look_alikes_of, names_of_people
from services.access.queries.register import coverage_of, told_coverage
from services.access.queries.requests import request_row, told_request
from shared.contracts import access as told
from shared.contracts.roles import Role as ToldRole
from shared.event_store import EventStore

DECLINED = {
    Step.TRIAGE: "Declined by support",
    Step.POLICY_CHECK: "Declined at the policy check",
    Step.CONFIRMATION: "Refused by the lead provider",
}
WAITED_FOR: Final[dict[Step | None, str]] = {
    Step.TRIAGE: "Support",
    Step.POLICY_CHECK: "Policy",
    Step.CONFIRMATION: "The lead provider",
    None: "Those who asked",
}
AGAINST_ADVICE = ", against what the agreement register says"


async def told_request_in_full(
    store: EventStore[Event], request_id: UUID, by: Actor, today: date
) -> told.AccessRequest:
    """Raises NothingThere. Lead provider contacts get no steps, and only policy gets the check."""
    events = [r.event for r in await store.read_stream(f"request-{request_id}")]
    async with store.engine.connect() as connection:
        row = await request_row(connection, request_id, by)
        body = told_request(row, by)
        if by.role is Role.LEAD_PROVIDER:
            return body
        people = {event.by for event in events if isinstance(event, ByPerson)}
        names = await names_of_people(connection, people)
        update: dict[str, object] = {"steps": _steps(events, names, by)}
        if by.role.is_staff:
            update["look_alikes"] = await look_alikes_of(connection, row.person_id)
        if by.role is Role.POLICY:
            check = _check_made(events)
            if row.state == RequestState.POLICY_CHECK.value:
                check = await coverage_of(connection, Role(row.role), row.organisation_id, today)
            if check is not None:
                update["check"] = await told_coverage(connection, check, today)
        return body.model_copy(update=update)


async def request_evidence(
    store: EventStore[Event], connection: AsyncConnection, request_id: UUID, by: Actor, today: date
) -> told.AccessRequest:
    """A request with all its steps and with what the register said at the policy check."""
    events = [r.event for r in await store.read_stream(f"request-{request_id}")]
    names = await names_of_people(connection, {e.by for e in events if isinstance(e, ByPerson)})
    update: dict[str, object] = {"steps": _steps(events, names, by)}
    check = _check_made(events)
    if check is not None:
        update["check"] = await told_coverage(connection, check, today)
    body = told_request(await request_row(connection, request_id, by), by)
    return body.model_copy(update=update)


def _check_made(events: Sequence[Event]) -> Coverage | None:
    for event in events:
        if isinstance(event, PolicyCheckPassed | RequestDeclined) and event.check is not None:
            return event.check
    return None


def _steps(events: Sequence[Event], names: Mapping[UUID, str], by: Actor) -> list[told.RequestStep]:
    steps = []
    for event in events:
        match event:
            case RequestGranted() | LeadProviderAsked() | RequestReminded() | RequestExpired():
                words = of_itself(event)
                steps.append(
                    told.RequestStep(at=event.at, step=words, by_name=None, by_role=None, reason=None)
                )
            case ByPerson():
                own_side = by.role.is_staff or event.by_role is by.role
                final = isinstance(event, RequestDeclined | RequestReturned)
                steps.append(
                    told.RequestStep(
                        at=event.at,
                        step=in_words(event),
                        by_name=names.get(event.by) if own_side else None,
                        by_role=None if _by_themself(event) else ToldRole(event.by_role),
                        reason=event.reason if own_side or final else None,
                    )
                )
    return steps


def _by_themself(event: ByPerson) -> bool:
    return isinstance(event, RequestSubmitted) and event.by == event.person_id and event.by_role is event.role


def of_itself(event: RequestGranted | LeadProviderAsked | RequestReminded | RequestExpired) -> str:
    """What followed, or what time did."""
    match event:
        case RequestGranted():
            return "Access granted"
        case LeadProviderAsked():
            return "Lead provider asked"
        case RequestReminded(step=step):
            return f"{WAITED_FOR[step]} reminded"
        case RequestExpired(step=step):
            return f"Expired: no answer from {WAITED_FOR[step][0].lower()}{WAITED_FOR[step][1:]} in time"


def in_words(event: ByPerson) -> str:
    """What a person did to a request, for its time line."""
    match event:
        case RequestSubmitted():
            return "Request made by the person themself" if _by_themself(event) else "Request made"
        case TriagePassed():
            return "Passed on by support"
        case PolicyCheckPassed(against_advice=against):
            return "Policy check passed" + (AGAINST_ADVICE if against else "")
        case UserConfirmed():
            return "Confirmed by the lead provider"
        case RequestDeclined(step=step, against_advice=against):
            return DECLINED[step] + (AGAINST_ADVICE if against else "")
        case RequestReturned(step=step):
            return f"Sent back for information by {WAITED_FOR[step].lower()}"
        case InformationGiven():
            return "Information given"
        case RequestWithdrawn():
            return "Withdrawn"
    raise ValueError(f"no words are known for {type(event).__name__}")

"""Access requests and organisations."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from services.access.api.agreements import told_line
from services.access.api.desk import AtDesk, Desk, Page, Reading, actor
from services.access.api.doors import Door
from services.access.domain.events import DeclineKind, Step
from services.access.domain.refusals import DeclineKindNeeded, Refused
from services.access.domain.vocabulary import Role
from services.access.handlers import (
    Answer,
    Verdict,
    decide_request,
    give_information,
    submit_request,
    withdraw_request,
)
from services.access.handlers.imports import import_users
from services.access.permissions import Action
from services.access.queries.organisations import list_organisations
from services.access.queries.requests import list_confirmations, list_requests
from services.access.queries.time_line import told_request_in_full
from shared.contracts import access as told
from shared.contracts.manage_ects import OrganisationKind
from shared.database.text import storable
from shared.web.caller import PersonCaller

router = APIRouter(tags=["requests"])

Anybody = Annotated[PersonCaller, Depends(Door(Action.SEE_ORGANISATIONS))]
Importer = Annotated[PersonCaller, Depends(Door(Action.IMPORT_USERS))]
Asker = Annotated[PersonCaller, Depends(Door(Action.ASK))]
Reader = Annotated[PersonCaller, Depends(Door(Action.SEE_REQUESTS))]
Triager = Annotated[PersonCaller, Depends(Door(Action.TRIAGE))]
Checker = Annotated[PersonCaller, Depends(Door(Action.CHECK_POLICY))]
Contact = Annotated[PersonCaller, Depends(Door(Action.SEE_CONFIRMATIONS))]
Confirmer = Annotated[PersonCaller, Depends(Door(Action.CONFIRM))]
SideThatAsked = Annotated[PersonCaller, Depends(Door(Action.GO_ON))]


@router.get("/organisations")
async def organisations(
    caller: Anybody, connection: Reading, kind: OrganisationKind | None = None
) -> list[told.Organisation]:
    """By name. Others than staff see their own one."""
    only = None if caller.role.is_staff else caller.organisation_id
    return list(await list_organisations(connection, kind, only))


@router.post("/requests", status_code=201)
async def submit(desk: AtDesk, caller: Asker, body: told.SubmitRequest) -> told.AccessRequest:
    """Nominate somebody for access."""
    request_id = await submit_request(
        desk.store,
        by=actor(caller),
        at=desk.now(),
        name=body.full_name,
        email=body.email,
        role=Role(body.role),
        organisation_id=body.organisation_id,
        reason=body.reason,
    )
    return await _in_full(desk, caller, request_id)


@router.get("/requests")
async def requests(
    caller: Reader,
    connection: Reading,
    state: told.RequestState | None = None,
    page: Page = 1,
    q: Annotated[str, Query(max_length=254)] = "",
) -> told.RequestPage:
    """Users: their organisation's, in their role. Staff: all. q: words of a name, address or organisation."""
    return await list_requests(connection, actor(caller), state, page, storable(q))


@router.get("/confirmations")
async def confirmations(caller: Contact, connection: Reading) -> list[told.AccessRequest]:
    """What waits for the contact's lead provider."""
    return list(await list_confirmations(connection, actor(caller)))


@router.get("/requests/{request_id}")
async def request(desk: AtDesk, caller: Reader, request_id: UUID) -> told.AccessRequest:
    return await _in_full(desk, caller, request_id)


@router.post("/requests/import")
async def take_in(desk: AtDesk, caller: Importer, body: told.ImportUsers) -> list[told.ImportLine]:
    """First users, as a lead provider's list names them: each line becomes a request."""
    lines = await import_users(
        desk.store, body.csv, by=actor(caller), at=desk.now(), reason=body.reason, dry_run=body.dry_run
    )
    return [told_line(line) for line in lines]


@router.post("/requests/triage")
async def triage_several(desk: AtDesk, caller: Triager, body: told.DecideSeveral) -> list[told.Outcome]:
    """Each by itself: one that cannot be decided stops none of the others."""
    return await _decide_several(desk, caller, Step.TRIAGE, body)


@router.post("/confirmations")
async def confirm_several(desk: AtDesk, caller: Confirmer, body: told.DecideSeveral) -> list[told.Outcome]:
    """Several people at once, each by itself."""
    return await _decide_several(desk, caller, Step.CONFIRMATION, body)


@router.post("/requests/{request_id}/triage")
async def triage(desk: AtDesk, caller: Triager, request_id: UUID, body: told.Decide) -> told.AccessRequest:
    """Support passes the request on to policy, sends it back for information, or declines it."""
    return await _decide(desk, caller, request_id, Step.TRIAGE, body)


@router.post("/requests/{request_id}/policy-check")
async def policy_check(
    desk: AtDesk, caller: Checker, request_id: UUID, body: told.Decide
) -> told.AccessRequest:
    """Policy asks a lead provider, sends the request back, or declines; for an appropriate body, approving
    grants the access.
    """
    return await _decide(desk, caller, request_id, Step.POLICY_CHECK, body)


@router.post("/requests/{request_id}/confirmation")
async def confirmation(
    desk: AtDesk, caller: Confirmer, request_id: UUID, body: told.Decide
) -> told.AccessRequest:
    """The lead provider's contact confirms the person, which grants the access, or refuses."""
    return await _decide(desk, caller, request_id, Step.CONFIRMATION, body)


@router.post("/requests/{request_id}/information")
async def information(
    desk: AtDesk, caller: SideThatAsked, request_id: UUID, body: told.GiveInformation
) -> told.AccessRequest:
    """The side that asked gives what it was asked for."""
    await give_information(
        desk.store, request_id, by=actor(caller), at=desk.now(), information=body.information
    )
    return await _in_full(desk, caller, request_id)


@router.post("/requests/{request_id}/withdraw")
async def withdraw(
    desk: AtDesk, caller: SideThatAsked, request_id: UUID, body: told.Withdraw
) -> told.AccessRequest:
    """The side that asked takes the request back."""
    await withdraw_request(desk.store, request_id, by=actor(caller), at=desk.now(), reason=body.reason)
    return await _in_full(desk, caller, request_id)


async def _in_full(desk: Desk, caller: PersonCaller, request_id: UUID) -> told.AccessRequest:
    return await told_request_in_full(desk.store, request_id, actor(caller), desk.today())


async def _decide(
    desk: Desk, caller: PersonCaller, request_id: UUID, step: Step, body: told.Decide
) -> told.AccessRequest:
    await decide_request(desk.store, request_id, step, answer_in(body), by=actor(caller), at=desk.now())
    return await _in_full(desk, caller, request_id)


async def _decide_several(
    desk: Desk, caller: PersonCaller, step: Step, body: told.DecideSeveral
) -> list[told.Outcome]:
    by, answer, outcomes = actor(caller), answer_in(body), []
    for request_id in dict.fromkeys(body.request_ids):
        why_not = None
        try:
            await decide_request(desk.store, request_id, step, answer, by=by, at=desk.now())
        except DeclineKindNeeded:
            raise
        except Refused as refused:
            why_not = str(refused)
        outcomes.append(told.Outcome(request_id=request_id, done=why_not is None, why_not=why_not))
    return outcomes


def answer_in(body: told.Decide) -> Answer:
    return Answer(
        Verdict(body.decision),
        body.reason,
        DeclineKind(body.decline_kind) if body.decline_kind else None,
        body.lead_provider_id,
    )

"""Access requests, from the nomination to the grant or the refusal."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.access.domain.coverage import Coverage
from services.access.domain.events import (
    DeclineKind,
    Event,
    RequestDeclined,
    RequestGranted,
    RequestReturned,
    Step,
)
from services.access.domain.grant import GiveGrant
from services.access.domain.person import NameInRequest
from services.access.domain.person_details import email_address, full_name
from services.access.domain.refusals import DeclineKindNeeded
from services.access.domain.request import (
    ByHand,
    ConfirmUser,
    Decline,
    GiveInformation,
    PassPolicyCheck,
    PassTriage,
    RequestState,
    ReturnForInformation,
    SubmitRequest,
    Withdraw,
)
from services.access.domain.vocabulary import (
    Actor,
    AgreementId,
    GrantId,
    OrganisationId,
    OrganisationKind,
    PersonId,
    RequestId,
    Role,
)
from services.access.handlers.deciding import PERSON, REQUEST, carry_out, deciding
from services.access.handlers.grants import give_grant, is_granted, is_suspended
from services.access.handlers.people import register_person
from services.access.queries.organisations import kind_of, must_be
from services.access.queries.people import active_holders
from services.access.queries.register import coverage_of
from services.access.queries.requests import request_row
from services.access.tables import requests
from services.access.waiting_emails import tell_returned
from services.access.workers import tell_declined
from shared.clock import london_day
from shared.event_store import EventStore, Recorded, Transaction


class Verdict(StrEnum):
    """The same words as in the contract."""

    APPROVE = "approve"
    DECLINE = "decline"
    RETURN = "return"


@dataclass(frozen=True, slots=True)
class Nomination:
    """Who is to get which access, and why, as it was typed."""

    name: str
    email: str
    role: Role
    organisation_id: UUID
    reason: str


async def submit_request(
    store: EventStore[Event],
    *,
    by: Actor,
    at: datetime,
    name: str,
    email: str,
    role: Role,
    organisation_id: UUID,
    reason: str,
) -> RequestId:
    """Raises AlreadyRequested, AlreadyGranted, NotYourOrganisation, MalformedEmail, …"""
    nomination = Nomination(name, email, role, organisation_id, reason)

    async def act(transaction: Transaction[Event]) -> RequestId:
        return await nominate(transaction, nomination, by=by, at=at)

    return await deciding(store, act)


async def ask_for_oneself(store: EventStore[Event], nomination: Nomination, *, at: datetime) -> RequestId:
    """Somebody without access, whose email address is proven, asks for themself. Raises what submit_request
    does.
    """

    async def act(transaction: Transaction[Event]) -> RequestId:
        return await nominate(transaction, nomination, by=None, at=at)

    return await deciding(store, act)


async def nominate(
    transaction: Transaction[Event], nomination: Nomination, *, by: Actor | None, at: datetime
) -> RequestId:
    """In a transaction at hand. by: None for the person themself. Raises what submit_request raises."""
    connection, role = transaction.connection, nomination.role
    organisation_id = OrganisationId(nomination.organisation_id)
    kind = await kind_of(connection, organisation_id)
    person_id = await register_person(
        transaction,
        name=nomination.name,
        email=nomination.email,
        by=by.person_id if by else None,
        at=at,
        staff_say_so=False,
    )
    by = by or Actor(person_id, role, organisation_id)
    command = SubmitRequest(
        request_id=RequestId(uuid4()),
        person_id=person_id,
        role=role,
        organisation_id=organisation_id,
        kind=kind,
        requested=await _is_requested(connection, person_id, role, organisation_id),
        granted=await is_granted(connection, person_id, role, organisation_id),
        suspended=await is_suspended(connection, person_id, role, organisation_id),
        by=by,
        at=at,
        reason=nomination.reason,
    )
    await carry_out(transaction, REQUEST, f"request-{command.request_id}", command, by.person_id)
    written = full_name(nomination.name), email_address(nomination.email).address
    naming = NameInRequest(command.request_id, *written, at)
    await carry_out(transaction, PERSON, f"person-{person_id}", naming, by.person_id)
    return command.request_id


@dataclass(frozen=True, slots=True)
class Answer:
    """What somebody decides on a step. decline_kind: with a no. lead_provider_id: with policy's yes."""

    verdict: Verdict
    reason: str
    decline_kind: DeclineKind | None = None
    lead_provider_id: UUID | None = None


async def decide_request(
    store: EventStore[Event], request_id: UUID, step: Step, answer: Answer, *, by: Actor, at: datetime
) -> None:
    """Triage (is this a sensible request?), policy check (does an agreement cover it?), confirmation (is this
    a valid user?): passed, declined, or sent back for information.

    The last yes is followed by the grant: the lead provider's, or policy's for an appropriate body. Raises
    DeclineKindNeeded, LeadProviderNeeded, NoContacts, NoLongerCovered, NotReturnable, FourEyes, …
    """

    async def act(transaction: Transaction[Event]) -> None:
        row = await request_row(transaction.connection, request_id, by)
        command = await _command(transaction, row, step, answer, by, at)
        await _carry_out(transaction, row, command, at)

    await deciding(store, act)


async def _command(
    transaction: Transaction[Event], row: Row[Any], step: Step, answer: Answer, by: Actor, at: datetime
) -> ByHand:
    if answer.verdict is Verdict.RETURN:
        return ReturnForInformation(step, by, at, answer.reason)
    if answer.verdict is Verdict.DECLINE:
        if answer.decline_kind is None:
            raise DeclineKindNeeded
        check = await _check(transaction, row, at)
        return Decline(step, by, at, answer.reason, check, answer.decline_kind)
    match step:
        case Step.TRIAGE:
            return PassTriage(by, at, answer.reason)
        case Step.POLICY_CHECK:
            check = await _check(transaction, row, at)
            asked, contacts = await _asked(transaction.connection, row, answer.lead_provider_id)
            return PassPolicyCheck(by, at, answer.reason, check, asked, contacts, GrantId(uuid4()))
        case Step.CONFIRMATION:
            check = await _check(transaction, row, at)
            return ConfirmUser(by, at, answer.reason, check, GrantId(uuid4()))


async def give_information(
    store: EventStore[Event], request_id: UUID, *, by: Actor, at: datetime, information: str
) -> None:
    """The side that asked tells what it was asked for: the request goes back to the step that needs it."""

    async def act(transaction: Transaction[Event]) -> None:
        row = await request_row(transaction.connection, request_id, by)
        await _carry_out(transaction, row, GiveInformation(by, at, information), at)

    await deciding(store, act)


async def withdraw_request(
    store: EventStore[Event], request_id: UUID, *, by: Actor, at: datetime, reason: str
) -> None:
    """The side that asked no longer wants it."""

    async def act(transaction: Transaction[Event]) -> None:
        row = await request_row(transaction.connection, request_id, by)
        await _carry_out(transaction, row, Withdraw(by, at, reason), at)

    await deciding(store, act)


async def _carry_out(
    transaction: Transaction[Event], row: Row[Any], command: ByHand, at: datetime
) -> Sequence[Recorded[Event]]:
    """The decision, and in the same transaction the grant or the email that follows from it."""
    recorded = await carry_out(
        transaction, REQUEST, f"request-{row.request_id}", command, command.by.person_id
    )
    for one in recorded:
        match one.event:
            case RequestGranted(request_id, person_id, grant_id):
                await give_grant(
                    transaction,
                    GiveGrant(
                        grant_id=grant_id,
                        person_id=person_id,
                        role=Role(row.role),
                        organisation_id=row.organisation_id,
                        request_id=request_id,
                        agreements=_rests_on(command, row.lead_provider_id),
                        by=command.by.person_id,
                        at=at,
                        today=london_day(at),
                    ),
                )
            case RequestDeclined(request_id=request_id):
                await tell_declined(transaction.connection, request_id)
            case RequestReturned(request_id=request_id, at=returned_at):
                await tell_returned(transaction.connection, request_id, returned_at)
    return recorded


def _rests_on(command: ByHand, lead_provider_id: OrganisationId | None) -> tuple[AgreementId, ...]:
    if isinstance(command, ConfirmUser) and lead_provider_id is not None:
        return command.check.by(lead_provider_id)
    return ()


async def _check(transaction: Transaction[Event], row: Row[Any], at: datetime) -> Coverage:
    """What the register says now. It stays true until the transaction ends: the partner's row is held."""
    if row.role == Role.DELIVERY_PARTNER.value:
        await must_be(
            transaction.connection, row.organisation_id, OrganisationKind.DELIVERY_PARTNER, lock=True
        )
    return await coverage_of(transaction.connection, Role(row.role), row.organisation_id, london_day(at))


async def _asked(
    connection: AsyncConnection, row: Row[Any], lead_provider_id: UUID | None
) -> tuple[OrganisationId | None, tuple[PersonId, ...]]:
    """Whom the policy check asks, and who can answer for them."""
    if lead_provider_id is None or row.role != Role.DELIVERY_PARTNER.value:
        return None, ()
    asked = await must_be(connection, lead_provider_id, OrganisationKind.LEAD_PROVIDER)
    return asked, await active_holders(connection, Role.LEAD_PROVIDER, asked)


async def _is_requested(
    connection: AsyncConnection, person_id: UUID, role: Role, organisation_id: UUID
) -> bool:
    query = select(requests.c.request_id).where(
        requests.c.person_id == person_id,
        requests.c.role == role.value,
        requests.c.organisation_id == organisation_id,
        requests.c.state.in_([state.value for state in RequestState if state.is_open]),
    )
    return await connection.scalar(query) is not None

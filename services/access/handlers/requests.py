"""Access requests, from the nomination to the grant or the refusal."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.access.domain.coverage import Coverage
from services.access.domain.events import Event, RequestDeclined, RequestGranted, Step
from services.access.domain.grant import GiveGrant
from services.access.domain.person import NameInRequest
from services.access.domain.person_details import email_address, full_name
from services.access.domain.request import (
    Command,
    ConfirmUser,
    Decline,
    PassPolicyCheck,
    PassTriage,
    RequestState,
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
from services.access.handlers.grants import give_grant, is_granted
from services.access.handlers.people import register_person
from services.access.queries.organisations import kind_of, must_be
from services.access.queries.people import active_holders
from services.access.queries.register import coverage_of
from services.access.queries.requests import request_row
from services.access.tables import requests
from services.access.workers import tell_declined
from shared.clock import london_day
from shared.event_store import EventStore, Recorded, Transaction


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

    async def act(transaction: Transaction[Event]) -> RequestId:
        connection = transaction.connection
        kind = await kind_of(connection, organisation_id)
        person_id = await register_person(
            transaction, name=name, email=email, by=by.person_id, at=at, staff_say_so=False
        )
        command = SubmitRequest(
            request_id=RequestId(uuid4()),
            person_id=person_id,
            role=role,
            organisation_id=OrganisationId(organisation_id),
            kind=kind,
            requested=await _is_requested(connection, person_id, role, organisation_id),
            granted=await is_granted(connection, person_id, role, organisation_id),
            by=by,
            at=at,
            reason=reason,
        )
        await carry_out(transaction, REQUEST, f"request-{command.request_id}", command, by.person_id)
        naming = NameInRequest(command.request_id, full_name(name), email_address(email).address, at)
        await carry_out(transaction, PERSON, f"person-{person_id}", naming, by.person_id)
        return command.request_id

    return await deciding(store, act)


async def triage_request(
    store: EventStore[Event], request_id: UUID, *, by: Actor, at: datetime, approve: bool, reason: str
) -> None:
    """Support: is this a sensible request? Then policy checks it."""

    async def act(transaction: Transaction[Event]) -> None:
        row = await request_row(transaction.connection, request_id, by)
        command: Command
        if approve:
            command = PassTriage(by, at, reason)
        else:
            command = Decline(Step.TRIAGE, by, at, reason, await _check(transaction, row, at))
        await _carry_out(transaction, row, command, at)

    await deciding(store, act)


async def check_policy(
    store: EventStore[Event],
    request_id: UUID,
    *,
    by: Actor,
    at: datetime,
    approve: bool,
    reason: str,
    lead_provider_id: UUID | None,
) -> None:
    """Policy: does an agreement cover it? Then that agreement's lead provider is asked.

    Approving it for an appropriate body is the last decision: the grant follows. Raises LeadProviderNeeded,
    NoContacts.
    """

    async def act(transaction: Transaction[Event]) -> None:
        connection = transaction.connection
        row = await request_row(connection, request_id, by)
        check = await _check(transaction, row, at)
        command: Command
        if approve:
            asked, contacts = await _asked(connection, row, lead_provider_id)
            command = PassPolicyCheck(by, at, reason, check, asked, contacts, GrantId(uuid4()))
        else:
            command = Decline(Step.POLICY_CHECK, by, at, reason, check)
        await _carry_out(transaction, row, command, at)

    await deciding(store, act)


async def confirm_user(
    store: EventStore[Event], request_id: UUID, *, by: Actor, at: datetime, approve: bool, reason: str
) -> None:
    """The lead provider's contact: is this a valid user? Then the grant follows. Raises NoLongerCovered."""

    async def act(transaction: Transaction[Event]) -> None:
        row = await request_row(transaction.connection, request_id, by)
        check = await _check(transaction, row, at)
        command: Command
        if approve:
            command = ConfirmUser(by, at, reason, check, GrantId(uuid4()))
        else:
            command = Decline(Step.CONFIRMATION, by, at, reason, check)
        await _carry_out(transaction, row, command, at)

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
    transaction: Transaction[Event], row: Row[Any], command: Command, at: datetime
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
    return recorded


def _rests_on(command: Command, lead_provider_id: OrganisationId | None) -> tuple[AgreementId, ...]:
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

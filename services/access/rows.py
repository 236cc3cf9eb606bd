"""Own events → rows, in the transaction of the append; a rebuild runs the same over the whole log."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, insert, update
from sqlalchemy.dialects.postgresql import insert as insert_or
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.dml import UpdateBase

from services.access.domain.events import (
    AgreementEndedEarly,
    AgreementLapsed,
    AgreementRecorded,
    Event,
    GrantEnded,
    GrantGiven,
    LeadProviderAsked,
    NamedInRequest,
    OrganisationNamed,
    PersonDetailsChanged,
    PersonRegistered,
    PolicyCheckPassed,
    RequestDeclined,
    RequestGranted,
    RequestSubmitted,
    RequestWithdrawn,
    TriagePassed,
    UserConfirmed,
)
from services.access.domain.person_details import email_key
from services.access.domain.request import RequestState
from services.access.tables import agreements, grants, organisations, people, requests
from shared.event_store import ConcurrentAppend, Recorded


async def apply(connection: AsyncConnection, recorded: Sequence[Recorded[Event]]) -> None:
    """Write what these events change.

    Raises ConcurrentAppend when another transaction registered the same email address meanwhile: deciding
    again finds that person.
    """
    for one in recorded:
        statement = _statement(one.event)
        if statement is None:
            continue
        done = await connection.execute(statement)
        if isinstance(one.event, PersonRegistered) and done.rowcount == 0:
            raise ConcurrentAppend(one.stream)


def _statement(event: Event) -> UpdateBase | None:
    match event:
        case PersonRegistered():
            return (
                insert_or(people)
                .values(
                    person_id=event.person_id,
                    full_name=event.full_name,
                    email=event.email,
                    email_key=email_key(event.email),
                )
                .on_conflict_do_nothing(index_elements=[people.c.email_key])
            )
        case PersonDetailsChanged():
            return (
                update(people)
                .where(people.c.person_id == event.person_id)
                .values(
                    full_name=event.full_name,
                    email=event.email,
                    email_key=email_key(event.email),
                )
            )
        case NamedInRequest():
            return (
                update(requests)
                .where(requests.c.request_id == event.request_id)
                .values(name_given=event.full_name, email_given=event.email)
            )
        case OrganisationNamed():
            named = {"kind": event.kind.value, "name": event.name}
            return (
                insert_or(organisations)
                .values(organisation_id=event.organisation_id, **named)
                .on_conflict_do_update(index_elements=[organisations.c.organisation_id], set_=named)
            )
        case AgreementRecorded(agreement_id, terms):
            return insert(agreements).values(
                agreement_id=agreement_id,
                delivery_partner_id=terms.delivery_partner_id,
                lead_provider_id=terms.lead_provider_id,
                starts_on=terms.starts_on,
                ends_on=terms.ends_on,
                reference=terms.reference,
                lapsed=False,
            )
        case AgreementEndedEarly(agreement_id):
            return (
                update(agreements)
                .where(agreements.c.agreement_id == agreement_id)
                .values(ended_early_on=event.ended_early_on)
            )
        case AgreementLapsed(agreement_id):
            return update(agreements).where(agreements.c.agreement_id == agreement_id).values(lapsed=True)
        case GrantGiven():
            return insert(grants).values(
                grant_id=event.grant_id,
                person_id=event.person_id,
                role=event.role.value,
                organisation_id=event.organisation_id,
                request_id=event.request_id,
                given_at=event.at,
                review_on=event.review_on,
            )
        case GrantEnded():
            return (
                update(grants)
                .where(grants.c.grant_id == event.grant_id)
                .values(ended_at=event.at, ended_reason=event.reason.value, ended_words=event.words)
            )
        case _:
            return _request_statement(event)


def _request_statement(event: Event) -> UpdateBase | None:
    match event:
        case RequestSubmitted():
            return insert(requests).values(
                request_id=event.request_id,
                person_id=event.person_id,
                role=event.role.value,
                organisation_id=event.organisation_id,
                made_by=event.by,
                made_as=event.by_role.value,
                reason=event.reason,
                submitted_at=event.at,
                state=RequestState.SUBMITTED.value,
                decided_by=[],
                against_advice=False,
            )
        case TriagePassed():
            return _request_moves(event.request_id, state=RequestState.POLICY_CHECK.value, by=event.by)
        case PolicyCheckPassed():
            return _request_moves(
                event.request_id,
                state=RequestState.AWAITING_LEAD_PROVIDER.value,
                by=event.by,
                lead_provider_id=event.lead_provider_id,
                against_advice=event.against_advice,
            )
        case UserConfirmed():
            return _request_moves(event.request_id, by=event.by)
        case RequestGranted():
            return _request_moves(event.request_id, state=RequestState.GRANTED.value)
        case RequestDeclined():
            return _request_moves(
                event.request_id,
                state=RequestState.DECLINED.value,
                by=event.by,
                outcome_reason=event.reason,
            )
        case RequestWithdrawn():
            return _request_moves(
                event.request_id, state=RequestState.WITHDRAWN.value, outcome_reason=event.reason
            )
        case LeadProviderAsked():
            return None
        case _:
            raise ValueError(f"no row is known for {type(event).__name__}")


def _request_moves(request_id: UUID, *, by: UUID | None = None, **values: object) -> UpdateBase:
    if by is not None:
        values["decided_by"] = func.array_append(requests.c.decided_by, by)
    return update(requests).where(requests.c.request_id == request_id).values(values)

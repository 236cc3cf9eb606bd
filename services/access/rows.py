"""Own events → rows, in the transaction of the append; a rebuild runs the same over the whole log."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from sqlalchemy import ColumnElement, case, func, insert, update
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
    GrantRestored,
    GrantSuspended,
    InformationGiven,
    LeadProviderAsked,
    NamedInRequest,
    OrganisationNamed,
    PersonDetailsChanged,
    PersonErased,
    PersonRegistered,
    PolicyCheckPassed,
    RequestDeclined,
    RequestExpired,
    RequestGranted,
    RequestReminded,
    RequestReturned,
    RequestSubmitted,
    RequestWithdrawn,
    ReviewAsked,
    ReviewCampaignOpened,
    ReviewConfirmed,
    TriagePassed,
    UserConfirmed,
)
from services.access.domain.person_details import ERASED_NAME, email_key, erased_address
from services.access.domain.request import RequestState
from services.access.domain.request.state import STATE_OF_STEP
from services.access.domain.vocabulary import RequestId
from services.access.tables import (
    agreements,
    grants,
    organisations,
    people,
    requests,
    review_campaigns,
    reviews,
)
from shared.event_store import ConcurrentAppend, Recorded


async def apply(connection: AsyncConnection, recorded: Sequence[Recorded[Event]]) -> None:
    """Write what these events change.

    Raises ConcurrentAppend when another transaction registered the same email address meanwhile: deciding
    again finds that person.
    """
    for one in recorded:
        if (settled := _review_statement(one.event)) is not None:
            await connection.execute(settled)
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
        case PersonErased(person_id):
            address = erased_address(person_id)
            return (
                update(people)
                .where(people.c.person_id == person_id)
                .values(full_name=ERASED_NAME, email=address, email_key=address)
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
        case GrantSuspended():
            return (
                update(grants)
                .where(grants.c.grant_id == event.grant_id)
                .values(suspended_at=event.at, suspended_reason=event.reason.value)
            )
        case GrantRestored():
            return (
                update(grants)
                .where(grants.c.grant_id == event.grant_id)
                .values(suspended_at=None, suspended_reason=None, review_on=event.review_on)
            )
        case ReviewConfirmed():
            return update(grants).where(grants.c.grant_id == event.grant_id).values(review_on=event.review_on)
        case ReviewCampaignOpened():
            return insert(review_campaigns).values(
                campaign_id=event.campaign_id,
                due_until=event.due_until,
                answer_by=event.answer_by,
                opened_by=event.by,
                opened_at=event.at,
            )
        case ReviewAsked():
            return insert(reviews).values(
                campaign_id=event.campaign_id,
                grant_id=event.grant_id,
                answer_by=event.answer_by,
                outcome="open",
            )
        case _:
            return _request_statement(event)


def _review_statement(event: Event) -> UpdateBase | None:
    """What settles an open review, whatever else it does."""
    match event:
        case ReviewConfirmed():
            outcome = "confirmed"
        case GrantEnded():
            outcome = "ended"
        case GrantSuspended():
            outcome = "suspended"
        case _:
            return None
    still_open = (reviews.c.grant_id == event.grant_id) & (reviews.c.outcome == "open")
    return update(reviews).where(still_open).values(outcome=outcome, settled_at=event.at)


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
                waiting_since=event.at,
                decided_by=[],
                informed_by=[],
                against_advice=False,
            )
        case TriagePassed():
            return _request_moves(event, RequestState.POLICY_CHECK, by=event.by)
        case PolicyCheckPassed():
            return _request_moves(
                event,
                RequestState.AWAITING_LEAD_PROVIDER,
                by=event.by,
                lead_provider_id=event.lead_provider_id,
                against_advice=event.against_advice,
            )
        case UserConfirmed():
            return _change(event.request_id, decided_by=func.array_append(requests.c.decided_by, event.by))
        case RequestGranted():
            return _request_moves(event, RequestState.GRANTED)
        case RequestDeclined():
            return _request_moves(
                event,
                RequestState.DECLINED,
                by=event.by,
                outcome_reason=event.reason,
                outcome_kind=event.kind.value if event.kind else None,
            )
        case RequestReturned():
            return _request_moves(event, RequestState.RETURNED, returned_from=event.step.value)
        case InformationGiven():
            back = case(
                {step.value: state.value for step, state in STATE_OF_STEP.items()},
                value=requests.c.returned_from,
            )
            return _request_moves(
                event,
                back,
                returned_from=None,
                informed_by=func.array_append(requests.c.informed_by, event.by),
            )
        case RequestWithdrawn():
            return _request_moves(event, RequestState.WITHDRAWN, outcome_reason=event.reason)
        case RequestExpired():
            return _request_moves(event, RequestState.EXPIRED)
        case RequestReminded():
            return _change(event.request_id, reminded_at=event.at)
        case LeadProviderAsked():
            return None
        case _:
            raise ValueError(f"no row is known for {type(event).__name__}")


class _Moving(Protocol):
    """An event after which a request waits for somebody else, or for nobody."""

    @property
    def request_id(self) -> RequestId: ...

    @property
    def at(self) -> datetime: ...


def _request_moves(
    event: _Moving, state: RequestState | ColumnElement[str], *, by: UUID | None = None, **values: object
) -> UpdateBase:
    if by is not None:
        values["decided_by"] = func.array_append(requests.c.decided_by, by)
    where = state.value if isinstance(state, RequestState) else state
    return _change(event.request_id, state=where, waiting_since=event.at, reminded_at=None, **values)


def _change(request_id: UUID, **values: object) -> UpdateBase:
    return update(requests).where(requests.c.request_id == request_id).values(values)

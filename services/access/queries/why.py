"""Why somebody has access: each grant with its request, decisions and agreements, and what became of it."""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from services.access.domain.coverage import in_words as day_in_words
from services.access.domain.events import (
    EndReason,
    Event,
    GrantEnded,
    GrantGiven,
    GrantRestored,
    GrantSuspended,
    ReviewAsked,
    ReviewConfirmed,
)
from services.access.domain.vocabulary import Actor, AgreementId, PersonId, Role
from services.access.queries.people import AGREEMENT_ENDED, SUSPENDED, names_of_people, told_person
from services.access.queries.register import coverage_of, told_agreements, told_coverage
from services.access.queries.time_line import request_evidence
from shared.contracts import access as told
from shared.contracts.roles import Role as ToldRole
from shared.event_store import EventStore

AT_INSTALLATION = "At installation"


async def why_access(store: EventStore[Event], person_id: UUID, by: Actor, today: date) -> told.WhyAccess:
    """by: a member of staff. Raises NothingThere."""
    async with store.engine.connect() as connection:
        person = await told_person(connection, person_id)
        grants = [await _grant(store, connection, grant, by, today) for grant in person.grants]
    return told.WhyAccess(
        person_id=person.person_id, full_name=person.full_name, email=person.email, on=today, grants=grants
    )


async def _grant(
    store: EventStore[Event], connection: AsyncConnection, grant: told.Grant, by: Actor, today: date
) -> told.GrantEvidence:
    events = [r.event for r in await store.read_stream(f"grant-{grant.grant_id}")]
    request = None
    if grant.request_id is not None:
        request = await request_evidence(store, connection, grant.request_id, by, today)
    cover = None
    if grant.role in (ToldRole.DELIVERY_PARTNER, ToldRole.APPROPRIATE_BODY) and grant.organisation_id:
        now = await coverage_of(connection, Role(grant.role), grant.organisation_id, today)
        cover = await told_coverage(connection, now, today)
    return told.GrantEvidence(
        grant=grant,
        request=request,
        agreements=await told_agreements(connection, _rests_on(events), today),
        cover_today=cover,
        history=await _history(connection, events),
    )


def _rests_on(events: Sequence[Event]) -> tuple[AgreementId, ...]:
    """The agreements of the last time that it was given or restored."""
    agreements: tuple[AgreementId, ...] = ()
    for event in events:
        if isinstance(event, GrantGiven | GrantRestored):
            agreements = event.agreements
    return agreements


async def _history(connection: AsyncConnection, events: Sequence[Event]) -> list[told.RequestStep]:
    names = await names_of_people(connection, {who for event in events if (who := by_of(event))})
    steps = []
    for event in events:
        at, step, reason = in_words(event)
        who = by_of(event)
        name = names.get(who) if who else None
        steps.append(told.RequestStep(at=at, step=step, by_name=name, by_role=None, reason=reason))
    return steps


def by_of(event: Event) -> PersonId | None:
    match event:
        case GrantGiven() | GrantEnded() | GrantRestored() | ReviewConfirmed():
            return event.by
        case _:
            return None


def in_words(event: Event) -> tuple[datetime, str, str | None]:
    """When, what, and why."""
    match event:
        case GrantGiven():
            return event.at, "Access given", None if event.by else AT_INSTALLATION
        case GrantSuspended():
            return event.at, "Access suspended", SUSPENDED[event.reason]
        case GrantRestored():
            return event.at, "Access restored", event.words
        case ReviewAsked(answer_by=answer_by):
            return event.at, f"Review asked for, by {day_in_words(answer_by)}", None
        case ReviewConfirmed():
            return event.at, "Confirmed in a review", event.words
        case GrantEnded(reason=EndReason.NOT_CONFIRMED):
            return event.at, "Access ended: not confirmed by the lead provider in a review", event.words
        case GrantEnded(reason=EndReason.AGREEMENT_ENDED):
            return event.at, "Access ended", AGREEMENT_ENDED
        case GrantEnded(reason=EndReason.LEFT):
            return event.at, "Access ended: their organisation says that they have left", event.words
        case GrantEnded():
            return event.at, "Access ended", event.words
    raise ValueError(f"no words are known for {type(event).__name__}")

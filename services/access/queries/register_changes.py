"""What changed in the register: each event of an agreement, with the difference that it made."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from services.access.domain.coverage import Agreement, in_words
from services.access.domain.events import (
    AgreementEndedEarly,
    AgreementLapsed,
    AgreementRecorded,
    Event,
)
from services.access.domain.refusals import NothingThere
from services.access.domain.vocabulary import OrganisationId
from services.access.handlers.deciding import AGREEMENT
from services.access.queries.organisations import names_of_organisations
from services.access.queries.people import names_of_people
from shared.contracts import access as told
from shared.event_store import EventStore


async def agreement_changes(store: EventStore[Event], agreement_id: UUID) -> list[told.AgreementChange]:
    """Oldest first. Raises NothingThere."""
    events = [r.event for r in await store.read_stream(f"agreement-{agreement_id}")]
    if not events:
        raise NothingThere
    async with store.engine.connect() as connection:
        people = await names_of_people(
            connection, {e.by for e in events if isinstance(e, AgreementRecorded | AgreementEndedEarly)}
        )
        names = await names_of_organisations(connection, _mentioned(events))
    changes, before = [], None
    for event in events:
        after = AGREEMENT.evolve(before, event)
        what, by, reason, at = _said(event)
        changes.append(
            told.AgreementChange(
                at=at,
                what=what,
                by_name=people.get(by) if by else None,
                reason=reason,
                differences=_differences(_facts(before, names), _facts(after, names)),
            )
        )
        before = after
    return changes


def _mentioned(events: Sequence[Event]) -> set[UUID]:
    terms = [event.terms for event in events if isinstance(event, AgreementRecorded)]
    return {t.delivery_partner_id for t in terms} | {t.lead_provider_id for t in terms}


def _facts(agreement: Agreement | None, names: Mapping[OrganisationId, str]) -> dict[str, str | None]:
    if agreement is None:
        return {}
    terms = agreement.terms
    return {
        "Delivery partner": names.get(terms.delivery_partner_id),
        "Lead provider": names.get(terms.lead_provider_id),
        "Reference": terms.reference,
        "First day in force": in_words(terms.starts_on),
        "Last day in force": in_words(agreement.last_day),
        "Has ended": "Yes" if agreement.lapsed else None,
    }


def _differences(before: dict[str, str | None], after: dict[str, str | None]) -> list[told.Difference]:
    return [
        told.Difference(field=field, before=before.get(field), after=value)
        for field, value in after.items()
        if before.get(field) != value
    ]


def _said(event: Event) -> tuple[str, UUID | None, str | None, datetime]:
    match event:
        case AgreementRecorded():
            return "Recorded", event.by, None, event.at
        case AgreementEndedEarly():
            return "Ended early", event.by, event.reason, event.at
        case AgreementLapsed():
            return "Its last day is past", None, None, event.at
    raise ValueError(f"no words are known for {type(event).__name__}")

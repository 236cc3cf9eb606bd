"""The agreement register, and the grants that are suspended with the last agreement."""

from datetime import date, datetime
from uuid import UUID, uuid4

from sqlalchemy import func, or_, select

from services.access.domain.agreement import EndAgreementEarly, LetLapse, RecordAgreement
from services.access.domain.coverage import Terms
from services.access.domain.events import AgreementLapsed, Event
from services.access.domain.refusals import AlreadyRecorded, NothingThere
from services.access.domain.vocabulary import Actor, AgreementId, OrganisationId, OrganisationKind
from services.access.handlers.deciding import AGREEMENT, carry_out, deciding
from services.access.handlers.grants import suspend_uncovered_grants
from services.access.queries.organisations import must_be
from services.access.tables import agreements
from shared.clock import london_day
from shared.event_store import EventStore, Transaction


async def record_agreement(
    store: EventStore[Event],
    *,
    by: Actor,
    at: datetime,
    delivery_partner_id: UUID,
    lead_provider_id: UUID,
    starts_on: date,
    ends_on: date,
    reference: str,
) -> AgreementId:
    """Raises AlreadyRecorded, DatesReversed, UnknownOrganisation, WrongKind."""
    terms = Terms(
        OrganisationId(delivery_partner_id), OrganisationId(lead_provider_id), starts_on, ends_on, reference
    )

    async def act(transaction: Transaction[Event]) -> AgreementId:
        return await record_terms(transaction, terms, by=by, at=at)

    return await deciding(store, act)


async def record_terms(
    transaction: Transaction[Event], terms: Terms, *, by: Actor, at: datetime
) -> AgreementId:
    """In a transaction at hand. Raises what record_agreement raises."""
    connection = transaction.connection
    partner, provider = terms.delivery_partner_id, terms.lead_provider_id
    await must_be(connection, partner, OrganisationKind.DELIVERY_PARTNER, lock=True)
    await must_be(connection, provider, OrganisationKind.LEAD_PROVIDER)
    same = select(agreements.c.agreement_id).where(
        agreements.c.delivery_partner_id == partner,
        agreements.c.lead_provider_id == provider,
        agreements.c.reference == terms.reference,
        agreements.c.starts_on == terms.starts_on,
    )
    if await connection.scalar(same) is not None:
        raise AlreadyRecorded
    agreement_id = AgreementId(uuid4())
    command = RecordAgreement(agreement_id, terms, by, at, london_day(at))
    await carry_out(transaction, AGREEMENT, f"agreement-{agreement_id}", command, by.person_id)
    return agreement_id


async def end_agreement_early(
    store: EventStore[Event],
    agreement_id: UUID,
    *,
    by: Actor,
    at: datetime,
    ended_early_on: date,
    reason: str,
) -> int:
    """Return how many grants are suspended with it. Raises AlreadyEnded, OutsideTheTerm."""
    command = EndAgreementEarly(ended_early_on, reason, by, at, london_day(at))
    return await _end(store, agreement_id, command, by.person_id)


async def lapse_due(store: EventStore[Event], at: datetime) -> int:
    """Let every agreement lapse whose last day is past; return how many grants are suspended.

    Safe to run at any time, in any number of processes: each agreement lapses once.
    """
    today = london_day(at)
    due = select(agreements.c.agreement_id).where(
        agreements.c.lapsed.is_(False),
        or_(agreements.c.ends_on < today, func.coalesce(agreements.c.ended_early_on <= today, False)),
    )
    async with store.engine.connect() as connection:
        agreement_ids = (await connection.scalars(due)).all()
    return sum([await _end(store, one, LetLapse(at, today), by=None) for one in agreement_ids])


async def _end(
    store: EventStore[Event],
    agreement_id: UUID,
    command: EndAgreementEarly | LetLapse,
    by: UUID | None,
) -> int:
    async def act(transaction: Transaction[Event]) -> int:
        connection = transaction.connection
        found = await connection.scalar(
            select(agreements.c.delivery_partner_id).where(agreements.c.agreement_id == agreement_id)
        )
        if found is None:
            raise NothingThere
        partner = await must_be(connection, found, OrganisationKind.DELIVERY_PARTNER, lock=True)
        recorded = await carry_out(transaction, AGREEMENT, f"agreement-{agreement_id}", command, by)
        if not any(isinstance(r.event, AgreementLapsed) for r in recorded):
            return 0
        return await suspend_uncovered_grants(transaction, partner, at=command.at, today=command.today)

    return await deciding(store, act)

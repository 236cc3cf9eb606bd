"""Grants: given, with the email that says so, and ended."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.access.domain.events import Event
from services.access.domain.grant import EndWithAgreement, GiveGrant, RevokeGrant
from services.access.domain.refusals import AlreadyGranted, NothingThere
from services.access.domain.vocabulary import Actor, OrganisationId, PersonId, Role
from services.access.handlers.deciding import GRANT, carry_out, deciding
from services.access.queries.register import agreements_of
from services.access.tables import grants, people
from services.access.workers import tell_granted
from shared.event_store import EventStore, Transaction


async def give_grant(transaction: Transaction[Event], command: GiveGrant) -> None:
    """Raises AlreadyGranted when the person holds the same already."""
    connection = transaction.connection
    await hold_person(connection, command.person_id)
    if await is_granted(connection, command.person_id, command.role, command.organisation_id):
        raise AlreadyGranted
    await carry_out(transaction, GRANT, f"grant-{command.grant_id}", command, command.by)
    await tell_granted(connection, command.grant_id)


async def revoke_grant(
    store: EventStore[Event], grant_id: UUID, *, by: Actor, at: datetime, words: str
) -> PersonId:
    """Return whose it was."""

    async def act(transaction: Transaction[Event]) -> PersonId:
        query = select(grants.c.person_id).where(grants.c.grant_id == grant_id)
        person_id: UUID | None = await transaction.connection.scalar(query)
        if person_id is None:
            raise NothingThere
        command = RevokeGrant(by, at, words)
        await carry_out(transaction, GRANT, f"grant-{grant_id}", command, by.person_id)
        return PersonId(person_id)

    return await deciding(store, act)


async def end_uncovered_grants(
    transaction: Transaction[Event], delivery_partner_id: OrganisationId, *, at: datetime, today: date
) -> int:
    """End the grants of a delivery partner that no agreement covers today. Returns how many.

    The caller holds the delivery partner's row: nobody gives a grant meanwhile.
    """
    connection = transaction.connection
    if any(a.in_force(today) for a in await agreements_of(connection, delivery_partner_id)):
        return 0
    query = select(grants.c.grant_id).where(
        grants.c.role == Role.DELIVERY_PARTNER.value,
        grants.c.organisation_id == delivery_partner_id,
        grants.c.ended_at.is_(None),
    )
    grant_ids = (await connection.scalars(query)).all()
    for grant_id in grant_ids:
        await carry_out(transaction, GRANT, f"grant-{grant_id}", EndWithAgreement(at), by=None)
    return len(grant_ids)


async def hold_person(connection: AsyncConnection, person_id: UUID) -> None:
    """Until the transaction ends, nobody else asks for or gives anything for this person."""
    await connection.execute(
        select(people.c.person_id).where(people.c.person_id == person_id).with_for_update()
    )


async def is_granted(
    connection: AsyncConnection, person_id: UUID, role: Role, organisation_id: UUID | None
) -> bool:
    query = select(grants.c.grant_id).where(
        grants.c.person_id == person_id,
        grants.c.role == role.value,
        grants.c.organisation_id.is_not_distinct_from(organisation_id),
        grants.c.ended_at.is_(None),
    )
    return await connection.scalar(query) is not None

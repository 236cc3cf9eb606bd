"""Grants: given, with the email that says so; suspended, restored, and ended."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.access.domain.events import Event, SuspendReason
from services.access.domain.grant import GiveGrant, MarkLeaver, RestoreGrant, RevokeGrant, Suspend
from services.access.domain.refusals import AlreadyGranted, NothingThere
from services.access.domain.vocabulary import Actor, OrganisationId, OrganisationKind, PersonId, Role
from services.access.handlers.deciding import GRANT, carry_out, deciding
from services.access.queries.organisations import must_be
from services.access.queries.register import agreements_of, coverage_of
from services.access.tables import grants, people
from services.access.workers import tell_granted, tell_suspended
from shared.clock import london_day
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


async def mark_leaver(
    store: EventStore[Event], grant_id: UUID, *, by: Actor, at: datetime, words: str
) -> None:
    """A user of the same organisation says that the person has left. Raises NothingThere for others'."""

    async def act(transaction: Transaction[Event]) -> None:
        command = MarkLeaver(by, at, words)
        await carry_out(transaction, GRANT, f"grant-{grant_id}", command, by.person_id)

    await deciding(store, act)


async def restore_grant(
    store: EventStore[Event], grant_id: UUID, *, by: Actor, at: datetime, words: str
) -> PersonId:
    """Policy gives a suspended grant back, on what the register says now. Returns whose it is.

    Raises NotSuspended, NotCovered, FourEyes.
    """

    async def act(transaction: Transaction[Event]) -> PersonId:
        connection = transaction.connection
        row = (await connection.execute(select(grants).where(grants.c.grant_id == grant_id))).first()
        if row is None:
            raise NothingThere
        if row.role == Role.DELIVERY_PARTNER.value:
            await must_be(connection, row.organisation_id, OrganisationKind.DELIVERY_PARTNER, lock=True)
        today = london_day(at)
        check = await coverage_of(connection, Role(row.role), row.organisation_id, today)
        command = RestoreGrant(by, at, words, check, today)
        await carry_out(transaction, GRANT, f"grant-{grant_id}", command, by.person_id)
        await tell_granted(connection, grant_id, at)
        return PersonId(row.person_id)

    return await deciding(store, act)


async def suspend_uncovered_grants(
    transaction: Transaction[Event], delivery_partner_id: OrganisationId, *, at: datetime, today: date
) -> int:
    """Suspend the grants of a delivery partner that no agreement covers today. Returns how many.

    The caller holds the delivery partner's row: nobody gives a grant meanwhile.
    """
    connection = transaction.connection
    if any(a.in_force(today) for a in await agreements_of(connection, delivery_partner_id)):
        return 0
    query = select(grants.c.grant_id).where(
        grants.c.role == Role.DELIVERY_PARTNER.value,
        grants.c.organisation_id == delivery_partner_id,
        grants.c.ended_at.is_(None),
        grants.c.suspended_at.is_(None),
    )
    grant_ids = (await connection.scalars(query)).all()
    for grant_id in grant_ids:
        suspend = Suspend(SuspendReason.AGREEMENT_ENDED, at)
        await carry_out(transaction, GRANT, f"grant-{grant_id}", suspend, by=None)
        await tell_suspended(connection, grant_id, at)
    return len(grant_ids)


async def hold_person(connection: AsyncConnection, person_id: UUID) -> None:
    """Until the transaction ends, nobody else asks for or gives anything for this person."""
    await connection.execute(
        select(people.c.person_id).where(people.c.person_id == person_id).with_for_update()
    )


async def is_granted(
    connection: AsyncConnection, person_id: UUID, role: Role, organisation_id: UUID | None
) -> bool:
    """Held, be it suspended or not."""
    query = select(grants.c.grant_id).where(
        grants.c.person_id == person_id,
        grants.c.role == role.value,
        grants.c.organisation_id.is_not_distinct_from(organisation_id),
        grants.c.ended_at.is_(None),
    )
    return await connection.scalar(query) is not None


async def is_suspended(
    connection: AsyncConnection, person_id: UUID, role: Role, organisation_id: UUID | None
) -> bool:
    query = select(grants.c.grant_id).where(
        grants.c.person_id == person_id,
        grants.c.role == role.value,
        grants.c.organisation_id.is_not_distinct_from(organisation_id),
        grants.c.ended_at.is_(None),
        grants.c.suspended_at.is_not(None),
    )
    return await connection.scalar(query) is not None

"""Organisations, as Manage ECTs tells of them. Of everything else it tells, nothing is read or kept."""

from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import Table, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.access.domain.events import Event, OrganisationNamed
from services.access.domain.vocabulary import OrganisationId, OrganisationKind
from services.access.publishing import CODEC
from services.access.rows import apply
from services.access.tables import organisations
from shared.clock import Clock
from shared.contracts import manage_ects
from shared.contracts.envelope import CloudEvent, EventRefused
from shared.event_store import ANY, NewEvents, Transaction

OF_INTEREST: Final = frozenset(
    contract.type
    for contract in (
        manage_ects.LeadProviderRegistered,
        manage_ects.DeliveryPartnerRegistered,
        manage_ects.AppropriateBodyRegistered,
        manage_ects.OrganisationRenamed,
    )
)


class Organisations:
    """Keeps the names, and tells the others of them in events of our own."""

    name = "organisations"
    publisher = "manage_ects"
    tables: tuple[Table, ...] = ()
    """None: what it tells are events of our own, and the rows follow from those."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def apply(self, connection: AsyncConnection, events: Sequence[CloudEvent]) -> None:
        """Participants pass by unread: access has no business with them."""
        named = {
            event.organisation_id: event
            for event in (_named(one) for one in events if one.type in OF_INTEREST)
        }
        if not named:
            return
        known = await _known(connection, named)
        news = [event for event in named.values() if known.get(event.organisation_id) != event]
        transaction: Transaction[Event] = Transaction(connection, CODEC, self._clock)
        batch: list[NewEvents[Event]] = [NewEvents(_stream(event), ANY, [event]) for event in news]
        await apply(connection, await transaction.append_all(batch, actor=None))


def _named(event: CloudEvent) -> OrganisationNamed:
    match manage_ects.CATALOGUE.read(event):
        case manage_ects.LeadProviderRegistered(lead_provider_id=organisation_id, name=name):
            kind = OrganisationKind.LEAD_PROVIDER
        case manage_ects.DeliveryPartnerRegistered(delivery_partner_id=organisation_id, name=name):
            kind = OrganisationKind.DELIVERY_PARTNER
        case manage_ects.AppropriateBodyRegistered(appropriate_body_id=organisation_id, name=name):
            kind = OrganisationKind.APPROPRIATE_BODY
        case manage_ects.OrganisationRenamed(organisation_id=organisation_id, name=name, kind=renamed):
            kind = OrganisationKind(renamed)
        case other:
            raise EventRefused(f"{other.type} names no organisation")
    return OrganisationNamed(OrganisationId(organisation_id), kind, name)


def _stream(event: OrganisationNamed) -> str:
    return f"organisation-{event.organisation_id}"


async def _known(
    connection: AsyncConnection, ids: Mapping[OrganisationId, object]
) -> Mapping[UUID, OrganisationNamed]:
    query = select(organisations).where(organisations.c.organisation_id.in_(ids))
    return {
        row.organisation_id: OrganisationNamed(row.organisation_id, OrganisationKind(row.kind), row.name)
        for row in await connection.execute(query)
    }

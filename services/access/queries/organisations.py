"""Organisations by ID, kind and name."""

from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.access.domain.refusals import UnknownOrganisation, WrongKind
from services.access.domain.vocabulary import OrganisationId, OrganisationKind
from services.access.tables import organisations
from shared.contracts import access as told
from shared.contracts.manage_ects import OrganisationKind as ToldKind


async def list_organisations(
    connection: AsyncConnection, kind: ToldKind | None, only: UUID | None
) -> Sequence[told.Organisation]:
    """By name. only: the one that may be seen, when it is not all of them."""
    query = select(organisations).order_by(organisations.c.name, organisations.c.organisation_id)
    if kind is not None:
        query = query.where(organisations.c.kind == kind.value)
    if only is not None:
        query = query.where(organisations.c.organisation_id == only)
    return [
        told.Organisation(organisation_id=row.organisation_id, kind=ToldKind(row.kind), name=row.name)
        for row in await connection.execute(query)
    ]


async def names_of_organisations(
    connection: AsyncConnection, ids: Collection[UUID]
) -> Mapping[OrganisationId, str]:
    query = select(organisations.c.organisation_id, organisations.c.name).where(
        organisations.c.organisation_id.in_(ids)
    )
    return {OrganisationId(row.organisation_id): row.name for row in await connection.execute(query)}


async def kind_of(connection: AsyncConnection, organisation_id: UUID) -> OrganisationKind:
    """Raises UnknownOrganisation."""
    kind = await connection.scalar(
        select(organisations.c.kind).where(organisations.c.organisation_id == organisation_id)
    )
    if kind is None:
        raise UnknownOrganisation
    return OrganisationKind(kind)


async def must_be(
    connection: AsyncConnection, organisation_id: UUID, kind: OrganisationKind, *, lock: bool = False
) -> OrganisationId:
    """Return the ID of a known organisation of this kind. Raises UnknownOrganisation or WrongKind.

    lock: hold the organisation until the transaction ends. Who gives grants of a delivery partner, and who
    ends its agreements, holds it; so no grant slips in while the last agreement ends.
    """
    query = select(organisations.c.kind).where(organisations.c.organisation_id == organisation_id)
    found = await connection.scalar(query.with_for_update() if lock else query)
    if found is None:
        raise UnknownOrganisation
    if found != kind.value:
        raise WrongKind
    return OrganisationId(organisation_id)

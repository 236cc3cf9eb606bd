"""The agreement register, and what it says about a request."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, select, true
from sqlalchemy.ext.asyncio import AsyncConnection

from services.access.domain.coverage import Agreement, Coverage, Terms, check_coverage, not_needed
from services.access.domain.refusals import NothingThere
from services.access.domain.vocabulary import AgreementId, OrganisationId, Role
from services.access.queries.organisations import names_of_organisations
from services.access.tables import agreements
from shared.contracts import access as told


async def list_agreements(connection: AsyncConnection, today: date) -> Sequence[told.Agreement]:
    """All of them, by delivery partner and start."""
    return await _told(connection, true(), today)


async def told_agreement(connection: AsyncConnection, agreement_id: UUID, today: date) -> told.Agreement:
    """Raises NothingThere."""
    found = await _told(connection, agreements.c.agreement_id == agreement_id, today)
    if not found:
        raise NothingThere
    return found[0]


async def told_agreements(
    connection: AsyncConnection, ids: Collection[UUID], today: date
) -> list[told.Agreement]:
    return list(await _told(connection, agreements.c.agreement_id.in_(ids), today))


async def agreements_of(connection: AsyncConnection, delivery_partner_id: UUID) -> Sequence[Agreement]:
    query = select(agreements).where(agreements.c.delivery_partner_id == delivery_partner_id)
    return [agreement_of(row) for row in await connection.execute(query)]


async def coverage_of(
    connection: AsyncConnection, role: Role, organisation_id: UUID, today: date
) -> Coverage:
    """What the register says today about access in this role to this organisation."""
    if role is not Role.DELIVERY_PARTNER:
        return not_needed(today)
    found = await agreements_of(connection, organisation_id)
    names = await names_of_organisations(connection, {a.terms.lead_provider_id for a in found})
    return check_coverage(found, names, today)


async def told_coverage(connection: AsyncConnection, coverage: Coverage, today: date) -> told.CoverageCheck:
    """The check as it was, with its agreements as they are in the register now."""
    ids = [cover.agreement_id for cover in coverage.covers]
    return told.CoverageCheck(
        covered=coverage.covered,
        covering=list(await _told(connection, agreements.c.agreement_id.in_(ids), today)),
        explanation=coverage.explanation,
    )


def agreement_of(row: Row[Any]) -> Agreement:
    terms = Terms(
        delivery_partner_id=row.delivery_partner_id,
        lead_provider_id=row.lead_provider_id,
        starts_on=row.starts_on,
        ends_on=row.ends_on,
        reference=row.reference,
    )
    return Agreement(AgreementId(row.agreement_id), terms, row.ended_early_on, row.lapsed)


async def _told(
    connection: AsyncConnection, condition: ColumnElement[bool], today: date
) -> Sequence[told.Agreement]:
    rows = await connection.execute(select(agreements).where(condition))
    found = [agreement_of(row) for row in rows]
    names = await names_of_organisations(connection, _organisations_in(found))
    bodies = [_body(agreement, names, today) for agreement in found]
    return sorted(bodies, key=lambda b: (b.delivery_partner_name, b.starts_on, b.lead_provider_name))


def _organisations_in(found: Sequence[Agreement]) -> Collection[UUID]:
    return {a.terms.delivery_partner_id for a in found} | {a.terms.lead_provider_id for a in found}


def _body(agreement: Agreement, names: Mapping[OrganisationId, str], today: date) -> told.Agreement:
    terms = agreement.terms
    return told.Agreement(
        agreement_id=agreement.agreement_id,
        delivery_partner_id=terms.delivery_partner_id,
        delivery_partner_name=names[terms.delivery_partner_id],
        lead_provider_id=terms.lead_provider_id,
        lead_provider_name=names[terms.lead_provider_id],
        starts_on=terms.starts_on,
        ends_on=terms.ends_on,
        ended_early_on=agreement.ended_early_on,
        reference=terms.reference,
        in_force=agreement.in_force(today),
    )

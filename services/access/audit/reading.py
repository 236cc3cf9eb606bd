"""The audit page: entries, newest first, as sentences."""

from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.access.audit.sentences import Names, mentioned_organisations, sentence
from services.access.queries.organisations import names_of_organisations
from services.access.queries.paging import PAGE_SIZE, offset_of, pages_of, there
from services.access.queries.people import names_of_people
from services.access.tables import audit
from shared.contracts.access import AuditEntry, AuditPage
from shared.contracts.roles import Role


async def list_entries(
    connection: AsyncConnection,
    *,
    person_id: UUID | None,
    participant_id: UUID | None,
    kind: str | None,
    page: int,
) -> AuditPage:
    """person_id: who did it or whom it is about. participant_id: whose record was seen."""
    query = select(audit)
    if person_id is not None:
        query = query.where(or_(audit.c.person_id == person_id, audit.c.about_id == person_id))
    if participant_id is not None:
        query = query.where(audit.c.participant_ids.contains([participant_id]))
    if kind:
        query = query.where(audit.c.kind == kind)
    total = await connection.scalar(select(func.count()).select_from(query.subquery())) or 0
    page = there(page, total)
    rows = await connection.execute(
        query.order_by(audit.c.number.desc()).limit(PAGE_SIZE).offset(offset_of(page))
    )
    found = rows.all()
    names = Names(
        people=await names_of_people(
            connection, {i for row in found for i in (row.person_id, row.about_id) if i}
        ),
        organisations={
            UUID(str(organisation)): name
            for organisation, name in (
                await names_of_organisations(
                    connection, set().union(*(mentioned_organisations(row) for row in found))
                )
            ).items()
        },
    )
    return AuditPage(
        entries=[_told(row, names) for row in found], total=total, page=page, pages=pages_of(total)
    )


def _told(row: Row[Any], names: Names) -> AuditEntry:
    return AuditEntry(
        number=row.number,
        at=row.at,
        kind=row.kind,
        sentence=sentence(row, names),
        person_id=row.person_id,
        person_name=names.people.get(row.person_id),
        role=Role(row.role) if row.role else None,
        organisation_name=names.organisations.get(row.organisation_id),
        hash=row.hash,
    )

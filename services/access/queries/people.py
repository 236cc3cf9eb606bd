"""People and what they hold."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.access.domain.events import EndReason
from services.access.domain.refusals import NothingThere
from services.access.domain.vocabulary import PersonId, Role
from services.access.queries.paging import PAGE_SIZE, offset_of, pages_of
from services.access.tables import grants, organisations, people
from shared.contracts import access as told
from shared.contracts.roles import Role as ToldRole

AGREEMENT_ENDED = "The last agreement that covered it ended."


async def list_people(connection: AsyncConnection, words: str, page: int) -> told.PersonPage:
    """By name. words: part of a name or email address; empty: everybody."""
    found = select(people)
    if words := " ".join(words.split()):
        found = found.where(
            or_(
                people.c.full_name.icontains(words, autoescape=True),
                people.c.email.icontains(words, autoescape=True),
            )
        )
    total = await connection.scalar(select(func.count()).select_from(found.subquery())) or 0
    query = found.order_by(people.c.full_name, people.c.person_id).limit(PAGE_SIZE).offset(offset_of(page))
    rows = (await connection.execute(query)).all()
    return told.PersonPage(
        people=await _with_grants(connection, rows), total=total, page=page, pages=pages_of(total)
    )


async def told_person(connection: AsyncConnection, person_id: UUID) -> told.Person:
    """Raises NothingThere."""
    rows = (await connection.execute(select(people).where(people.c.person_id == person_id))).all()
    if not rows:
        raise NothingThere
    return (await _with_grants(connection, rows))[0]


async def names_of_people(connection: AsyncConnection, ids: Collection[UUID]) -> Mapping[UUID, str]:
    query = select(people.c.person_id, people.c.full_name).where(people.c.person_id.in_(ids))
    return {row.person_id: row.full_name for row in await connection.execute(query)}


async def active_holders(
    connection: AsyncConnection, role: Role, organisation_id: UUID | None
) -> tuple[PersonId, ...]:
    """Who holds this role for this organisation now, in a fixed order."""
    query = select(grants.c.person_id).where(
        grants.c.role == role.value,
        grants.c.organisation_id.is_not_distinct_from(organisation_id),
        grants.c.ended_at.is_(None),
    )
    return tuple(PersonId(person_id) for person_id in sorted(await connection.scalars(query)))


async def _with_grants(connection: AsyncConnection, rows: Sequence[Row[Any]]) -> list[told.Person]:
    query = (
        select(grants, organisations.c.name)
        .outerjoin(organisations, organisations.c.organisation_id == grants.c.organisation_id)
        .where(grants.c.person_id.in_([row.person_id for row in rows]))
        .order_by(grants.c.given_at, grants.c.grant_id)
    )
    held: dict[UUID, list[told.Grant]] = defaultdict(list)
    for row in await connection.execute(query):
        held[row.person_id].append(_grant(row))
    return [
        told.Person(
            person_id=row.person_id,
            full_name=row.full_name,
            email=row.email,
            grants=held[row.person_id],
        )
        for row in rows
    ]


def _grant(row: Row[Any]) -> told.Grant:
    by_itself = row.ended_reason == EndReason.AGREEMENT_ENDED.value
    return told.Grant(
        grant_id=row.grant_id,
        role=ToldRole(row.role),
        organisation_id=row.organisation_id,
        organisation_name=row.name,
        request_id=row.request_id,
        given_at=row.given_at,
        review_on=row.review_on,
        ended_at=row.ended_at,
        ended_reason=AGREEMENT_ENDED if by_itself else row.ended_words,
    )

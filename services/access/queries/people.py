"""People and what they hold."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.access.domain.events import EndReason, SuspendReason
from services.access.domain.look_alikes import why_alike
from services.access.domain.refusals import NothingThere
from services.access.domain.vocabulary import Actor, PersonId, Role
from services.access.queries.paging import PAGE_SIZE, offset_of, pages_of, there
from services.access.tables import grants, is_erased, organisations, people, requests
from shared.contracts import access as told
from shared.contracts.roles import Role as ToldRole

AGREEMENT_ENDED = "The last agreement that covered it ended."
SUSPENDED = {
    SuspendReason.AGREEMENT_ENDED: AGREEMENT_ENDED,
    SuspendReason.NOT_REVIEWED: "Nobody confirmed in its review that it is still needed.",
}


async def list_people(connection: AsyncConnection, words: str, page: int) -> told.PersonPage:
    """By name. words: part of a name or email address; empty: everybody. Not who was erased."""
    found = select(people).where(~is_erased)
    if words := " ".join(words.split()):
        found = found.where(
            or_(
                people.c.full_name.icontains(words, autoescape=True),
                people.c.email.icontains(words, autoescape=True),
            )
        )
    total = await connection.scalar(select(func.count()).select_from(found.subquery())) or 0
    page = there(page, total)
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


async def list_suspended(connection: AsyncConnection) -> list[told.Person]:
    """Who holds a suspended grant, with all their grants, longest suspended first."""
    first = func.min(grants.c.suspended_at)
    query = (
        select(people, first.label("since"))
        .join(grants, grants.c.person_id == people.c.person_id)
        .where(grants.c.ended_at.is_(None), grants.c.suspended_at.is_not(None))
        .group_by(people.c.person_id)
        .order_by(first, people.c.person_id)
    )
    return await _with_grants(connection, (await connection.execute(query)).all())


async def list_colleagues(connection: AsyncConnection, by: Actor) -> list[told.Colleague]:
    """Who has access to the caller's organisation in the caller's role, by the name that was asked for."""
    name = func.coalesce(requests.c.name_given, people.c.full_name)
    query = (
        select(
            grants.c.grant_id,
            grants.c.person_id,
            name.label("full_name"),
            people.c.email,
            grants.c.given_at,
            grants.c.review_on,
            grants.c.suspended_at,
        )
        .join(people, people.c.person_id == grants.c.person_id)
        .outerjoin(requests, requests.c.request_id == grants.c.request_id)
        .where(
            grants.c.role == by.role.value,
            grants.c.organisation_id == by.organisation_id,
            grants.c.ended_at.is_(None),
        )
        .order_by(name, grants.c.grant_id)
    )
    return [
        told.Colleague(
            grant_id=row.grant_id,
            full_name=row.full_name,
            email=row.email,
            given_at=row.given_at,
            review_on=row.review_on,
            suspended=row.suspended_at is not None,
            is_you=row.person_id == by.person_id,
        )
        for row in await connection.execute(query)
    ]


async def look_alikes_of(connection: AsyncConnection, person_id: UUID) -> list[told.LookAlike]:
    """Other people whose address could be taken for this person's."""
    rows = (await connection.execute(select(people))).all()
    own = next((row.email_key for row in rows if row.person_id == person_id), None)
    if own is None:
        return []
    return [
        told.LookAlike(person_id=row.person_id, full_name=row.full_name, email=row.email, why=why)
        for row in rows
        if row.person_id != person_id and (why := why_alike(own, row.email_key))
    ]


async def names_of_people(connection: AsyncConnection, ids: Collection[UUID]) -> Mapping[UUID, str]:
    """Of those who have one: who was erased is named by ID where it matters who it was."""
    query = select(people.c.person_id, people.c.full_name).where(people.c.person_id.in_(ids), ~is_erased)
    return {row.person_id: row.full_name for row in await connection.execute(query)}


async def active_holders(
    connection: AsyncConnection, role: Role, organisation_id: UUID | None
) -> tuple[PersonId, ...]:
    """Who holds this role for this organisation now, in a fixed order."""
    query = select(grants.c.person_id).where(
        grants.c.role == role.value,
        grants.c.organisation_id.is_not_distinct_from(organisation_id),
        grants.c.ended_at.is_(None),
        grants.c.suspended_at.is_(None),
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
        suspended_at=row.suspended_at,
        suspended_reason=SUSPENDED[SuspendReason(row.suspended_reason)] if row.suspended_reason else None,
        ended_at=row.ended_at,
        ended_reason=AGREEMENT_ENDED if by_itself else row.ended_words,
    )

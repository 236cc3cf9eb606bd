"""Who may sign in, and as what: read from what access told."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Select, exists, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.auth.domain.events import GrantId, PersonId
from services.auth.tables import grants, organisations, people


@dataclass(frozen=True, slots=True)
class Addressee:
    person_id: PersonId
    full_name: str
    email: str


@dataclass(frozen=True, slots=True)
class HeldGrant:
    grant_id: GrantId
    role: str
    organisation_id: UUID | None
    organisation_name: str | None


def email_key(address: str) -> str:
    """How an address is compared: trimmed, Unicode composed, without case."""
    return unicodedata.normalize("NFC", address.strip()).casefold()


async def addressee_by_email(connection: AsyncConnection, address: str) -> Addressee | None:
    """The person with this address who holds a grant at least. Locked: links go out one at a time."""
    return await _addressee(connection, _WHO_MAY_SIGN_IN.where(people.c.email_key == email_key(address)))


async def addressee_by_id(connection: AsyncConnection, person_id: PersonId) -> Addressee | None:
    """The person, when they hold a grant at least. Locked likewise."""
    return await _addressee(connection, _WHO_MAY_SIGN_IN.where(people.c.person_id == person_id))


async def held_grants(connection: AsyncConnection, person_id: PersonId) -> Sequence[HeldGrant]:
    """The grants in force of a person, in a stable order."""
    query = (
        select(grants.c.grant_id, grants.c.role, grants.c.organisation_id, organisations.c.name)
        .outerjoin(organisations, organisations.c.organisation_id == grants.c.organisation_id)
        .where(grants.c.person_id == person_id)
        .order_by(grants.c.role, organisations.c.name, grants.c.grant_id)
    )
    return [
        HeldGrant(GrantId(row.grant_id), row.role, row.organisation_id, row.name)
        for row in await connection.execute(query)
    ]


_WHO_MAY_SIGN_IN = select(people.c.person_id, people.c.full_name, people.c.email).where(
    exists().where(grants.c.person_id == people.c.person_id)
)


async def _addressee(connection: AsyncConnection, query: Select[tuple[UUID, str, str]]) -> Addressee | None:
    row = (await connection.execute(query.limit(1).with_for_update(of=people))).one_or_none()
    return Addressee(PersonId(row.person_id), row.full_name, row.email) if row else None

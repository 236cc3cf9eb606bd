"""A person who has no access any more is taken out of the log and all rows, with what others wrote of them.

The log is append-only for the service; this is the one way around it, for the owner of its tables, on record.
Events stay, and with them who allowed whom, by ID: that is what the service has to account for.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import orjson
from sqlalchemy import JSON, Row, bindparam, delete, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from services.access.domain.events import Event
from services.access.domain.identity_words import IdentityWords, identity_words
from services.access.domain.person import ErasePerson
from services.access.domain.person_details import ERASED_NAME, email_key, erased_address
from services.access.domain.request import RequestState
from services.access.domain.vocabulary import PersonId
from services.access.handlers.deciding import PERSON, carry_out
from services.access.tables import grants, people, requests
from shared.email.record import sent_emails
from shared.event_store import Transaction
from shared.parked_actions import Reason

NAMING: Final = ("full_name", "email")
ALONE: Final = text("LOCK TABLE events IN SHARE ROW EXCLUSIVE MODE")
"""Nobody appends meanwhile: a moment only, and asked for first, so that nobody waits in a circle."""
EVENTS: Final = text("""
    SELECT id, stream, type, data, position FROM events LEFT JOIN event_positions ON event = id
    WHERE stream = ANY(:streams) ORDER BY id
""")
WRITE: Final = text("UPDATE events SET data = :data WHERE id = :id").bindparams(
    bindparam("data", type_=JSONB)
)
PARKED: Final = text("SELECT id, event::text FROM parked_events WHERE event::text LIKE :about FOR UPDATE")
WRITE_PARKED: Final = text("UPDATE parked_events SET event = :event WHERE id = :id").bindparams(
    bindparam("event", type_=JSON)
)


class NotErased(Exception):
    """Nothing was changed; the sentence says why."""


@dataclass(frozen=True, slots=True)
class Erased:
    """events: how many of the log were written over. stream: the person's. positions: where it named them."""

    events: int
    stream: str
    positions: Sequence[int]


async def erase(transaction: Transaction[Event], person_id: UUID, reason: Reason, at: datetime) -> Erased:
    """Within the owner's transaction. Again, it writes over what came since. Raises NotErased."""
    connection = transaction.connection
    await connection.execute(ALONE)
    await _must_be_gone(connection, person_id)
    recorded = await _events(connection, person_id)
    own = [row for row in recorded if row.stream == _stream(person_id)]
    words = _words(own)
    new = [
        {"id": row.id, "data": data}
        for row in recorded
        if (data := _without(row, words, person_id)) != row.data
    ]
    await _write_over(connection, new)
    await _write_over_rows(connection, person_id, words)
    command = ErasePerson(reason.by, words.out_of(reason.why), at)
    await carry_out(transaction, PERSON, _stream(person_id), command, None)
    named = [row.position for row in own if row.position and "email" in row.data]
    return Erased(len(new), _stream(person_id), named)


async def find_person(connection: AsyncConnection, who: str) -> UUID | None:
    """By ID or by email address."""
    try:
        is_them = people.c.person_id == UUID(who)
    except ValueError:
        is_them = people.c.email_key == email_key(who.strip())
    found: UUID | None = await connection.scalar(select(people.c.person_id).where(is_them))
    return found


async def _must_be_gone(connection: AsyncConnection, person_id: UUID) -> None:
    known = select(people.c.person_id).where(people.c.person_id == person_id).with_for_update()
    if await connection.scalar(known) is None:
        raise NotErased("nobody with this ID is registered")
    held = select(grants.c.grant_id).where(grants.c.person_id == person_id, grants.c.ended_at.is_(None))
    if await connection.scalar(held.limit(1)):
        raise NotErased("they have access, or it is suspended: end it first")
    asked = select(requests.c.request_id).where(
        requests.c.person_id == person_id,
        requests.c.state.in_([state.value for state in RequestState if state.is_open]),
    )
    if await connection.scalar(asked.limit(1)):
        raise NotErased("a request for access for them is open: withdraw or decline it first")


async def _events(connection: AsyncConnection, person_id: UUID) -> Sequence[Row[Any]]:
    """Their own, and those about their requests and grants."""
    streams = [_stream(person_id)]
    for table, column, kind in (
        (requests, requests.c.request_id, "request"),
        (grants, grants.c.grant_id, "grant"),
    ):
        ids = await connection.scalars(select(column).where(table.c.person_id == person_id))
        streams += [f"{kind}-{one}" for one in ids]
    return (await connection.execute(EVENTS, {"streams": streams})).all()


def _stream(person_id: UUID) -> str:
    return f"person-{person_id}"


def _words(own: Sequence[Row[Any]]) -> IdentityWords:
    named = [row.data for row in own if "email" in row.data]
    return identity_words(
        [data["full_name"] for data in named],
        [data["email"] for data in named if data["full_name"] != ERASED_NAME],
    )


def _without(row: Row[Any], words: IdentityWords, person_id: UUID) -> dict[str, Any]:
    data: dict[str, Any] = row.data
    if row.stream == _stream(person_id) and "email" in data:
        return {**data, "full_name": ERASED_NAME, "email": erased_address(PersonId(person_id))}
    return {name: words.out_of(value) for name, value in data.items()}


async def _write_over(connection: AsyncConnection, new: Sequence[dict[str, Any]]) -> None:
    if not new:
        return
    await connection.execute(text("ALTER TABLE events DISABLE TRIGGER append_only"))
    await connection.execute(WRITE, new)
    await connection.execute(text("ALTER TABLE events ENABLE TRIGGER append_only"))


async def _write_over_rows(connection: AsyncConnection, person_id: UUID, words: IdentityWords) -> None:
    for table, key, columns in (
        (requests, requests.c.request_id, ("reason", "outcome_reason", "name_given", "email_given")),
        (grants, grants.c.grant_id, ("ended_words",)),
    ):
        for row in (await connection.execute(select(table).where(table.c.person_id == person_id))).all():
            told = {name: words.out_of(getattr(row, name)) for name in columns}
            await connection.execute(table.update().where(key == getattr(row, key.name)).values(told))
    await connection.execute(delete(sent_emails).where(sent_emails.c.address.in_(words.words)))
    for row in (await connection.execute(PARKED, {"about": f"%{person_id}%"})).all():
        event = words.out_of(orjson.loads(row.event))
        await connection.execute(WRITE_PARKED, {"id": row.id, "event": event})

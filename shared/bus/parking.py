"""Events that cannot be applied: kept aside with the reason, and with what follows about the same subject.

So the rest goes on, nothing is lost, and the order within a subject is kept for the retry.
"""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from prometheus_client import Counter
from pydantic import ValidationError
from sqlalchemy import ARRAY, ColumnElement, Select, Text, any_, cast, func, literal, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.bus.tables import parked_events
from shared.contracts.envelope import CloudEvent, EventRefused
from shared.database.text import storable
from shared.parked_actions import Reason, record_action

PARKED = Counter("checkdata_parked_events_total", "Events parked", ["projection"])

FOLLOWS = "waits behind an earlier parked event of the same subject"
QUOTING = frozenset({"value_error", "assertion_error", "union_tag_invalid"})
"""pydantic's errors whose message may quote the value."""


@dataclass(frozen=True, slots=True)
class Parked:
    """A parked event that is not settled. event: as it came, personal data included."""

    id: int
    projection: str
    subject: str
    position: int
    type: str
    event: dict[str, Any]
    reason: str
    parked_at: datetime
    tries: int


def reason_of(error: Exception) -> str:
    """What is wrong with an event, without repeating what it holds (that may be personal data).

    Of our own EventRefused the text, which promises that. Of pydantic's errors where and what was expected.
    Of the database's errors and all others, a ValueError too, the type alone: their texts quote values.
    """
    match error:
        case EventRefused():
            return storable(f"{type(error).__name__}: {error}")
        case ValidationError():
            told = error.errors(include_url=False, include_context=False, include_input=False)
            return storable("; ".join(f"{_place(e['loc'])}: {_rule(e['type'], e['msg'])}" for e in told[:5]))
        case DBAPIError(orig=BaseException(__cause__=BaseException() as cause)):
            return f"the database refused it: {type(cause).__name__}"
        case _:
            return type(error).__name__


def _place(location: Sequence[int | str]) -> str:
    return ".".join(str(part) for part in location) or "event"


def _rule(type_: str, message: str) -> str:
    return type_ if type_ in QUOTING else message


async def park(
    connection: AsyncConnection, projection: str, event: CloudEvent, reason: str, position: int
) -> None:
    """Keep an event aside as it came, whatever it holds. Parking the same one again changes nothing."""
    done = await connection.execute(
        insert(parked_events)
        .values(
            projection=projection,
            subject=storable(event.subject),
            position=position,
            type=storable(event.type),
            event=event.model_dump(mode="json", exclude_none=True),
            reason=reason,
        )
        .on_conflict_do_nothing()
    )
    PARKED.labels(projection).inc(done.rowcount)


async def parked_subjects(
    connection: AsyncConnection, projection: str, among: Collection[str]
) -> frozenset[str]:
    """Which of these subjects have an event that waits.

    Until this transaction ends, no operator's retry changes that: so what is parked behind another is there
    before the retry looks for more, and what is not parked comes after all that was retried.
    """
    waiting = await _waiting(connection, projection, among)
    if not waiting:
        return waiting
    for subject in sorted(waiting):
        await connection.execute(select(func.pg_advisory_xact_lock_shared(_key(projection, subject))))
    return await _waiting(connection, projection, waiting)


async def _waiting(connection: AsyncConnection, projection: str, among: Collection[str]) -> frozenset[str]:
    kept_as = {subject: storable(subject) for subject in among}
    query = (
        select(parked_events.c.subject)
        .distinct()
        .where(
            parked_events.c.projection == projection,
            parked_events.c.subject == any_(literal(list(kept_as.values()), ARRAY(Text))),
            parked_events.c.settled_at.is_(None),
        )
    )
    found = set((await connection.scalars(query)).all())
    return frozenset(subject for subject, kept in kept_as.items() if kept in found)


async def hold_subject(connection: AsyncConnection, projection: str, subject: str) -> None:
    """Keep everybody else from parking or retrying events of a subject until this transaction ends."""
    await connection.execute(select(func.pg_advisory_xact_lock(_key(projection, subject))))


def _key(projection: str, subject: str) -> ColumnElement[int]:
    return func.hashtextextended(f"parked: {projection} {storable(subject)}", 0)


async def list_parked(connection: AsyncConnection, projection: str | None = None) -> Sequence[Parked]:
    """What waits, oldest first."""
    query = _SELECT.order_by(parked_events.c.id)
    if projection is not None:
        query = query.where(parked_events.c.projection == projection)
    return await _read(connection, query)


async def find_parked(connection: AsyncConnection, parked_id: int) -> Parked | None:
    """One that waits."""
    found = await _read(connection, _SELECT.where(parked_events.c.id == parked_id))
    return found[0] if found else None


async def first_parked(connection: AsyncConnection, projection: str, subject: str) -> Parked | None:
    """The one of a subject that all its others wait behind."""
    query = _SELECT.where(parked_events.c.projection == projection, parked_events.c.subject == subject)
    found = await _read(connection, query.order_by(parked_events.c.id).limit(1))
    return found[0] if found else None


_SELECT = select(
    *(parked_events.c[name] for name in Parked.__slots__ if name != "event"),
    cast(parked_events.c.event, Text),  # the quick JSON reader refuses half a character
).where(parked_events.c.settled_at.is_(None))


async def _read(connection: AsyncConnection, query: Select[Any]) -> list[Parked]:
    rows = await connection.execute(query)
    return [Parked(**{**row._mapping, "event": json.loads(row.event)}) for row in rows]


async def note_failed_try(
    connection: AsyncConnection, parked_id: int, error: Exception, reason: Reason
) -> None:
    """It was tried again, and this is why it still cannot be applied."""
    tried = await connection.execute(
        update(parked_events)
        .where(parked_events.c.id == parked_id, parked_events.c.settled_at.is_(None))
        .values(tries=parked_events.c.tries + 1, reason=reason_of(error))
    )
    if tried.rowcount == 1:
        await record_action(connection, "event", parked_id, "retried", reason)


async def settle(
    connection: AsyncConnection, parked_id: int, how: Literal["retried", "discarded"], reason: Reason
) -> bool:
    """Mark one, and record who did it and why. Returns False when it was settled already."""
    done = await connection.execute(
        update(parked_events)
        .where(parked_events.c.id == parked_id, parked_events.c.settled_at.is_(None))
        .values(settled_at=func.clock_timestamp(), settled_how=how)
    )
    if done.rowcount != 1:
        return False
    await record_action(connection, "event", parked_id, how, reason)
    return True

"""Events that cannot be applied: kept aside with the reason, and with what follows about the same subject.

So the rest goes on, nothing is lost, and the order within a subject is kept for the retry.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from prometheus_client import Counter
from sqlalchemy import ARRAY, Text, any_, func, literal, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.bus.tables import parked_events
from shared.contracts.envelope import CloudEvent

PARKED = Counter("checkdata_parked_events_total", "Events parked", ["projection"])

FOLLOWS = "waits behind an earlier parked event of the same subject"


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
    """What is wrong with an event, without repeating what it holds (that may be personal data)."""
    errors = getattr(error, "errors", None)
    if callable(errors):  # pydantic's ValidationError
        return "; ".join(
            f"{'.'.join(str(part) for part in e['loc']) or 'event'}: {e['msg']}" for e in errors()[:5]
        )
    return f"{type(error).__name__}: {error}" if isinstance(error, ValueError) else type(error).__name__


async def park(
    connection: AsyncConnection, projection: str, event: CloudEvent, reason: str, position: int
) -> None:
    """Keep an event aside. Parking the same one again changes nothing."""
    await connection.execute(
        insert(parked_events)
        .values(
            projection=projection,
            subject=event.subject,
            position=position,
            type=event.type,
            event=event.model_dump(mode="json", exclude_none=True),
            reason=reason,
        )
        .on_conflict_do_nothing()
    )
    PARKED.labels(projection).inc()


async def parked_subjects(
    connection: AsyncConnection, projection: str, among: Collection[str]
) -> frozenset[str]:
    """Which of these subjects have an event that waits."""
    query = (
        select(parked_events.c.subject)
        .distinct()
        .where(
            parked_events.c.projection == projection,
            parked_events.c.subject == any_(literal(list(among), ARRAY(Text))),
            parked_events.c.settled_at.is_(None),
        )
    )
    return frozenset((await connection.scalars(query)).all())


async def list_parked(connection: AsyncConnection, projection: str | None = None) -> Sequence[Parked]:
    """What waits, oldest first."""
    columns = [parked_events.c[name] for name in Parked.__slots__]
    query = select(*columns).where(parked_events.c.settled_at.is_(None)).order_by(parked_events.c.id)
    if projection is not None:
        query = query.where(parked_events.c.projection == projection)
    return [Parked(**row._mapping) for row in await connection.execute(query)]


async def note_failed_try(connection: AsyncConnection, parked_id: int, reason: str) -> None:
    """It was tried again, and this is why it still cannot be applied."""
    await connection.execute(
        update(parked_events)
        .where(parked_events.c.id == parked_id, parked_events.c.settled_at.is_(None))
        .values(tries=parked_events.c.tries + 1, reason=reason)
    )


async def settle(connection: AsyncConnection, parked_id: int, *, how: str, by: str, why: str) -> bool:
    """Mark one as `retried` or `discarded`. Returns False when it was settled already."""
    done = await connection.execute(
        update(parked_events)
        .where(parked_events.c.id == parked_id, parked_events.c.settled_at.is_(None))
        .values(settled_at=func.clock_timestamp(), settled_how=how, settled_by=by, settled_why=why)
    )
    return done.rowcount == 1

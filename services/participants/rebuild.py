"""Derive everybody anew from the log, while the service runs."""

from collections.abc import Callable

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from services.participants.derivation import derive_all_due
from services.participants.incoming import from_log
from services.participants.locks import keeping
from services.participants.received_log import spread
from services.participants.tables import received_events

BATCH = 2_000
"""Events looked at in one transaction."""


async def rebuild(engine: AsyncEngine, *, derivation_batch: int, progress: Callable[[str, int], None]) -> int:
    """Mark everybody whom the log speaks of, and derive them. Returns how many were derived.

    The rows of each participant change in one transaction, so readers see the old ones or the new. The day
    is the one that began last (days.begin_day). progress: "events read" or "participants derived", and how
    many so far.
    """
    async with engine.connect() as connection:
        last = await connection.scalar(select(func.coalesce(func.max(received_events.c.position), 0))) or 0
    read = after = 0
    while after < last:
        async with engine.begin() as connection:
            await keeping(connection)
            query = (
                select(received_events.c.position, received_events.c.subject, received_events.c.type)
                .add_columns(received_events.c.data)
                .where(received_events.c.position > after)
                .order_by(received_events.c.position)
                .limit(BATCH)
            )
            rows = (await connection.execute(query)).all()
            await spread(connection, [(row.subject, from_log(row.type, row.data)) for row in rows])
        read, after = read + len(rows), rows[-1].position
        progress("events read", read)
    return await derive_all_due(engine, derivation_batch, lambda done: progress("participants derived", done))

"""Positions: given to committed events, once, without a gap.

Why not the table's own serial number: it is taken at insertion, and a transaction that commits late
would put its event behind readers that have passed. Here a number is taken after the commit, by one
numberer at a time, so nobody can overtake.
"""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

NUMBER = text("""
    WITH taken AS (
        DELETE FROM events_awaiting_position
        WHERE event IN (SELECT event FROM events_awaiting_position ORDER BY event LIMIT :limit)
        RETURNING event
    ), last AS (
        SELECT coalesce(max(position), 0) AS position FROM event_positions
    ), numbered AS (
        INSERT INTO event_positions (position, event)
        SELECT last.position + row_number() OVER (ORDER BY taken.event), taken.event FROM taken, last
        RETURNING position
    )
    SELECT count(*) FROM numbered
""")


async def number_committed(connection: AsyncConnection, limit: int) -> int:
    """Number at most `limit` committed events, in the order of their insertion. Returns how many.

    The caller holds the service's relay lock; should two run at once all the same, the primary key lets
    one of them fail.
    """
    return await connection.scalar(NUMBER, {"limit": limit}) or 0

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
        WHERE event IN (
            SELECT event FROM events_awaiting_position WHERE event > :after ORDER BY event LIMIT :limit
        )
        RETURNING event
    ), last AS (
        SELECT coalesce(max(position), 0) AS position FROM event_positions
    ), numbered AS (
        INSERT INTO event_positions (position, event)
        SELECT last.position + row_number() OVER (ORDER BY taken.event), taken.event FROM taken, last
        RETURNING event
    )
    SELECT count(*), max(event) FROM numbered
""")

FULL_BATCHES = 100
"""So many full batches in a row at most before the numberer looks from the beginning again."""


class Numberer:
    """Numbers committed events in the order of their insertion, some at a time.

    The caller holds the service's relay lock; should two run at once all the same, the primary key lets one
    of them fail.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._after = 0
        self._full_batches = 0

    async def number(self, connection: AsyncConnection) -> int:
        """Number at most `limit` of those that are committed. Returns how many."""
        found = await connection.execute(NUMBER, {"after": self._after, "limit": self._limit})
        count, last = found.one()
        self._go_on_after(last if count == self._limit else 0)
        return int(count)

    def _go_on_after(self, event: int) -> None:
        """In a long backlog go on behind the last batch: in front of it are only rows that are gone, and each
        batch would look at all of them. Who committed late is there as well, so the next look is from the
        beginning when the backlog ends, or takes long.
        """
        self._full_batches = self._full_batches + 1 if event else 0
        if self._full_batches == FULL_BATCHES:
            self._full_batches = event = 0
        self._after = event

"""Who a session is, as what, until when: asked by every page that somebody sees.

One statement on asyncpg's own pool, without a transaction around it (docs/decisions/0074).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import asyncpg

from services.auth.domain.events import GrantId, PersonId, SessionId
from services.auth.domain.session import SessionOver
from services.auth.people import HeldGrant
from services.auth.sessions import Limits, has_staff_role, hash_of, second_factor_missing
from shared.clock import Clock
from shared.database.pool import WAIT_SECONDS

NOTE_EVERY: Final = timedelta(minutes=1)
"""How exactly it is noted when a session was last used: writing at each request would cost too much."""

SESSION_AND_GRANTS: Final = """
SELECT s.session_id, s.person_id, s.grant_id AS chosen_id, s.seen_at, s.idle_until, s.absolute_until,
       s.confirmed_at, p.full_name, g.grant_id, g.role, g.organisation_id, o.name AS organisation_name
FROM sessions s
JOIN people p ON p.person_id = s.person_id
JOIN grants g ON g.person_id = s.person_id
LEFT JOIN organisations o ON o.organisation_id = g.organisation_id
WHERE s.secret_hash = $1 AND s.ended_at IS NULL AND s.idle_until > $2 AND s.absolute_until > $2
ORDER BY g.role, o.name, g.grant_id
"""
"""A row for each grant that the person holds, in the order of `held_grants`. None: the session is over."""
NOTE_USE: Final = """
UPDATE sessions SET seen_at = $2, idle_until = $3 WHERE session_id = $1 AND ended_at IS NULL AND seen_at <= $4
"""
"""Once a minute, also of two pages at the same moment; a session that ended meanwhile stays as it is."""


@dataclass(frozen=True, slots=True)
class SessionInForce:
    session_id: SessionId
    person_id: PersonId
    full_name: str
    grants: Sequence[HeldGrant]
    chosen: HeldGrant | None
    idle_until: datetime
    absolute_until: datetime
    second_factor_missing: bool
    """Then it is good for nothing but giving it."""


class SessionLookup:
    def __init__(self, pool: asyncpg.Pool, clock: Clock, people: Limits, staff: Limits) -> None:
        self._pool = pool
        self._clock = clock
        self._idle = {False: people.idle, True: staff.idle}

    async def in_force(self, secret: str) -> SessionInForce:
        """Who it is, as what. Notes the use. Raises SessionOver."""
        now = self._clock()
        async with self._pool.acquire(timeout=WAIT_SECONDS) as connection:
            rows = await connection.fetch(SESSION_AND_GRANTS, hash_of(secret), now)
            if not rows:
                raise SessionOver
            session, held = rows[0], [_grant(row) for row in rows]
            chosen = next((grant for grant in held if grant.grant_id == session["chosen_id"]), None)
            if session["chosen_id"] is not None and chosen is None:
                raise SessionOver  # the role that it acts in is not held any more
            idle_until = await self._note_use(connection, session, held, now)
        return SessionInForce(
            SessionId(session["session_id"]),
            PersonId(session["person_id"]),
            session["full_name"],
            held,
            chosen,
            idle_until,
            session["absolute_until"],
            second_factor_missing(session["confirmed_at"], held),
        )

    async def _note_use(
        self, connection: Any, session: Mapping[str, Any], held: Sequence[HeldGrant], now: datetime
    ) -> datetime:
        """Returns until when the session lasts without being used again."""
        idle_until: datetime = session["idle_until"]
        if now - session["seen_at"] >= NOTE_EVERY:
            idle_until = now + self._idle[has_staff_role(held)]
            await connection.execute(NOTE_USE, session["session_id"], now, idle_until, now - NOTE_EVERY)
        return idle_until


def _grant(row: Mapping[str, Any]) -> HeldGrant:
    return HeldGrant(GrantId(row["grant_id"]), row["role"], row["organisation_id"], row["organisation_name"])

"""When a person last looked at an organisation's list, in the session before this one."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import case, delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncEngine

from services.participants.scope import Scope
from services.participants.tables import visits
from shared.web.caller import PersonCaller

NOTED_AGAIN: Final = timedelta(minutes=1)
"""How exact the end of a visit is."""
MOST_REMEMBERED: Final = 10_000


class Visits:
    """A visit is a session: what happened since the last one stays so from its first page to its last."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._noted: dict[tuple[object, ...], datetime] = {}

    async def last(self, caller: PersonCaller, scope: Scope) -> datetime | None:
        """Return the last moment of the visit before this session's; None when this is the first."""
        async with self._engine.connect() as connection:
            row = (
                await connection.execute(
                    select(visits.c.session_id, visits.c.seen_at, visits.c.before).where(
                        visits.c.person_id == caller.person_id,
                        visits.c.role == caller.role.value,
                        visits.c.organisation_id == scope.organisation_id,
                    )
                )
            ).one_or_none()
        if row is None:
            return None
        ours: datetime | None = row.before if row.session_id == caller.session_id else row.seen_at
        return ours

    async def note(self, caller: PersonCaller, scope: Scope, now: datetime) -> None:
        """The list was seen now. Written at most once a minute for each session."""
        if caller.session_id is None:
            return
        visit = (caller.person_id, caller.role, scope.organisation_id, caller.session_id)
        noted = self._noted.get(visit)
        if noted is not None and now - noted < NOTED_AGAIN:
            return
        if len(self._noted) >= MOST_REMEMBERED:
            self._noted.clear()
        row = insert(visits).values(
            person_id=caller.person_id,
            role=caller.role.value,
            organisation_id=scope.organisation_id,
            session_id=caller.session_id,
            seen_at=now,
        )
        same = visits.c.session_id == row.excluded.session_id
        async with self._engine.begin() as connection:
            await connection.execute(
                row.on_conflict_do_update(
                    index_elements=["person_id", "role", "organisation_id"],
                    set_={
                        "before": case((same, visits.c.before), else_=visits.c.seen_at),
                        "session_id": row.excluded.session_id,
                        "seen_at": row.excluded.seen_at,
                    },
                )
            )
        self._noted[visit] = now

    async def forget(self, before: datetime) -> None:
        """Forget those who were not here since."""
        async with self._engine.begin() as connection:
            await connection.execute(delete(visits).where(visits.c.seen_at < before))

"""A person's own sessions: seen, and ended, from any one of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from services.auth.domain.events import EndReason, Event, PersonId, SessionId
from services.auth.people import held_grants
from services.auth.sessions import (
    SecondFactorMissing,
    end_session,
    find_session,
    in_force,
    second_factor_missing,
)
from services.auth.tables import grants, organisations, sessions
from shared.clock import Clock
from shared.event_store import EventStore


@dataclass(frozen=True, slots=True)
class OwnSession:
    """browser: as it named itself at sign-in. role None: none is chosen yet. present: the one that asks."""

    session_id: SessionId
    started_at: datetime | None
    seen_at: datetime
    browser: str | None
    role: str | None
    organisation_name: str | None
    present: bool


class OwnSessions:
    def __init__(self, store: EventStore[Event], clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def all(self, secret: str) -> Sequence[OwnSession]:
        """Those in force of the person whose session this is, last used first.

        Raises SessionOver and SecondFactorMissing.
        """
        now = self._clock()
        async with self._store.engine.connect() as connection:
            present = await find_session(connection, secret, now)
            await _must_be_confirmed(connection, present)
            rows = await connection.execute(
                select(sessions, grants.c.role, organisations.c.name)
                .outerjoin(grants, grants.c.grant_id == sessions.c.grant_id)
                .outerjoin(organisations, organisations.c.organisation_id == grants.c.organisation_id)
                .where(sessions.c.person_id == present.person_id, in_force(now))
                .order_by(sessions.c.seen_at.desc(), sessions.c.session_id)
            )
            return [
                OwnSession(
                    SessionId(row.session_id),
                    row.started_at,
                    row.seen_at,
                    row.browser,
                    row.role,
                    row.name,
                    row.session_id == present.session_id,
                )
                for row in rows
            ]

    async def end(self, secret: str, session_id: SessionId | None) -> None:
        """End one of the person's own sessions, or every one when none is named. Raises SessionOver.

        Somebody else's is not found, and nothing happens.
        """
        now = self._clock()
        async with self._store.transaction() as transaction:
            present = await find_session(transaction.connection, secret, now)
            await _must_be_confirmed(transaction.connection, present)
            mine = await _lock(transaction.connection, PersonId(present.person_id), session_id)
            for own in mine:
                here = own == present.session_id
                reason = EndReason.SIGNED_OUT if here else EndReason.SIGNED_OUT_ELSEWHERE
                await end_session(transaction, own, reason, now, present.person_id)


async def _must_be_confirmed(connection: AsyncConnection, session: Row[tuple[object, ...]]) -> None:
    held = await held_grants(connection, PersonId(session.person_id))
    if second_factor_missing(session.confirmed_at, held):
        raise SecondFactorMissing


async def _lock(
    connection: AsyncConnection, person_id: PersonId, session_id: SessionId | None
) -> Sequence[SessionId]:
    query = select(sessions.c.session_id).where(
        sessions.c.person_id == person_id, sessions.c.ended_at.is_(None)
    )
    if session_id is not None:
        query = query.where(sessions.c.session_id == session_id)
    rows = await connection.scalars(query.order_by(sessions.c.session_id).with_for_update())
    return [SessionId(row) for row in rows]

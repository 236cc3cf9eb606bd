"""Somebody's sessions, as staff see and end them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.auth.domain import signing_out as domain
from services.auth.domain.events import EndReason, Event, PersonId, SessionId
from services.auth.people import held_grants
from services.auth.sessions import end_session, has_staff_role, in_force
from services.auth.tables import people, sessions
from shared.clock import Clock
from shared.event_store import EventStore, Transaction


@dataclass(frozen=True, slots=True)
class SessionsOfSomebody:
    """How many are in force, and when the last of them was used."""

    count: int
    seen_at: datetime | None


class SigningOut:
    def __init__(self, store: EventStore[Event], clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def sessions_of(self, person_id: PersonId) -> SessionsOfSomebody:
        query = select(func.count().label("count"), func.max(sessions.c.seen_at).label("seen_at")).where(
            sessions.c.person_id == person_id, in_force(self._clock())
        )
        async with self._store.engine.connect() as connection:
            row = (await connection.execute(query)).one()
        return SessionsOfSomebody(row.count, row.seen_at)

    async def sign_out(self, person_id: PersonId, by: PersonId, *, as_administrator: bool) -> None:
        """End every session of the person, at once and in every service.

        Raises NotSignedIn and ForAdministrators.
        """
        now = self._clock()
        async with self._store.transaction() as transaction:
            connection = transaction.connection
            await lock_person(connection, person_id)
            open_sessions = await _lock_sessions(connection, person_id, now)
            state = domain.SignedIn(
                len(open_sessions), has_staff_role(await held_grants(connection, person_id))
            )
            new = domain.decide(domain.SignOut(person_id, by, as_administrator, now), state)
            stream = f"signing-out-{person_id}"
            version = (await transaction.load(stream)).version
            await transaction.append(stream, new, expected=version, actor=str(by))
            for session_id in open_sessions:
                await end_session(transaction, session_id, EndReason.SIGNED_OUT_BY_STAFF, now, by)


async def lock_person(connection: AsyncConnection, person_id: PersonId) -> None:
    """Keep the person to this transaction. Where both are locked, the person is before links and sessions."""
    await connection.execute(
        select(people.c.person_id).where(people.c.person_id == person_id).with_for_update()
    )


async def end_all(
    transaction: Transaction[Event], person_id: PersonId, reason: EndReason, at: datetime, by: PersonId
) -> None:
    """End what the person, who is locked already, is signed in by."""
    for session_id in await _lock_sessions(transaction.connection, person_id, at):
        await end_session(transaction, session_id, reason, at, by)


async def _lock_sessions(
    connection: AsyncConnection, person_id: PersonId, now: datetime
) -> Sequence[SessionId]:
    """Those in force. What is over without being ended yet is left to whom it belongs (end_expired)."""
    rows = await connection.scalars(
        select(sessions.c.session_id)
        .where(sessions.c.person_id == person_id, in_force(now))
        .order_by(sessions.c.session_id)
        .with_for_update(of=sessions)
    )
    return [SessionId(row) for row in rows]

"""Sessions: started by a link, narrowed to a role, ended. What pages ask: services.auth.session_lookup."""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4

from sqlalchemy import ColumnElement, and_, exists, insert, or_, select, update
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from services.auth.devices import recognise
from services.auth.domain import link as links
from services.auth.domain import session as domain
from services.auth.domain.events import (
    EndReason,
    Event,
    GrantId,
    LinkId,
    PersonId,
    Purpose,
    SessionEvent,
    SessionId,
)
from services.auth.domain.session import SessionOver
from services.auth.links import LINKS, change_link, load_link, lock_owner
from services.auth.people import HeldGrant, addressee_by_id, held_grants
from services.auth.tables import grants, people, sessions
from shared.clock import Clock
from shared.contracts.roles import Role
from shared.event_store import ConcurrentAppend, Decider, EventStore, Transaction

SESSION: Decider[domain.SessionCommand, domain.Session, SessionEvent] = Decider(
    domain.Session(), domain.decide, domain.evolve
)
SECRET_BYTES = 32


class SecondFactorMissing(Exception):
    """The session is of a person who can give access, and has not proved a second time who it is."""


class NotGranted(Exception):
    """The person does not hold that grant (any more)."""


@dataclass(frozen=True, slots=True)
class Limits:
    idle: timedelta
    absolute: timedelta


@dataclass(frozen=True, slots=True)
class OpenSession:
    """secret: what the browser holds; given out once, when it is made."""

    secret: str
    grants: Sequence[HeldGrant]
    chosen: HeldGrant | None
    return_to: str | None
    device: str | None = None
    """What the browser is to keep, to be known again. Only after sign-in."""
    second_factor_missing: bool = False


class Sessions:
    def __init__(self, store: EventStore[Event], clock: Clock, people: Limits, staff: Limits) -> None:
        self._store = store
        self._clock = clock
        self._limits = {False: people, True: staff}

    async def redeem(
        self, link_id: LinkId, device: str | None = None, browser: str | None = None
    ) -> OpenSession:
        """Turn a link into a session, once, whoever else tries at the same moment. Raises LinkNotUsable.

        device: what the browser kept of an earlier sign-in. browser: its kind, in words.
        """
        try:
            async with self._store.transaction() as transaction:
                session, purpose = await self._redeem(transaction, link_id, device, browser)
        except ConcurrentAppend:
            raise links.LinkNotUsable from None
        LINKS.labels(purpose.value, "redeemed").inc()
        return session

    async def _redeem(
        self, transaction: Transaction[Event], link_id: LinkId, device: str | None, browser: str | None
    ) -> tuple[OpenSession, Purpose]:
        now, session_id = self._clock(), SessionId(uuid4())
        # First the person, then the link: in the same order as where links are issued.
        await lock_owner(transaction.connection, link_id)
        await change_link(transaction, link_id, links.RedeemLink(session_id, now), now)
        issued = (await load_link(transaction, link_id)).issued
        if issued is None or await addressee_by_id(transaction.connection, issued.person_id) is None:
            raise links.LinkNotUsable
        held = await held_grants(transaction.connection, issued.person_id)
        secret = secrets.token_urlsafe(SECRET_BYTES)
        limits = self._limits[has_staff_role(held)]
        await transaction.connection.execute(
            insert(sessions).values(
                session_id=session_id,
                secret_hash=hash_of(secret),
                person_id=issued.person_id,
                return_to=issued.return_to,
                started_at=now,
                browser=browser,
                seen_at=now,
                idle_until=now + limits.idle,
                absolute_until=now + limits.absolute,
            )
        )
        start = domain.StartSession(session_id, issued.person_id, link_id, now)
        await change_session(transaction, session_id, start, actor=issued.person_id)
        device = await recognise(transaction.connection, issued.person_id, session_id, device, now)
        missing = has_staff_role(held)
        chosen = None if missing else _only_choice(held, issued.purpose)
        if chosen is not None:
            await choose_grant(transaction, session_id, issued.person_id, chosen, now)
        return OpenSession(secret, held, chosen, issued.return_to, device, missing), issued.purpose

    async def choose(self, secret: str, grant_id: GrantId) -> OpenSession:
        """Act in a role from now on, under a new secret.

        Raises SessionOver, SecondFactorMissing or NotGranted.
        """
        async with self._store.transaction() as transaction:
            row = await self._find(transaction.connection, secret, lock=True)
            held = await held_grants(transaction.connection, PersonId(row.person_id))
            if second_factor_missing(row.confirmed_at, held):
                raise SecondFactorMissing
            chosen = next((grant for grant in held if grant.grant_id == grant_id), None)
            if chosen is None:
                raise NotGranted
            session_id, person_id = SessionId(row.session_id), PersonId(row.person_id)
            await choose_grant(transaction, session_id, person_id, chosen, self._clock())
            rotated = await rotate(transaction.connection, session_id)
            return OpenSession(rotated, held, chosen, row.return_to)

    async def end(self, secret: str) -> None:
        """Sign out. Ending what is over already is no error."""
        async with self._store.transaction() as transaction:
            try:
                row = await self._find(transaction.connection, secret, lock=True)
            except SessionOver:
                return
            await end_session(
                transaction, SessionId(row.session_id), EndReason.SIGNED_OUT, self._clock(), row.person_id
            )

    async def end_expired(self) -> None:
        """End the sessions whose time or ground is over. Several processes may: each is ended once.

        A grant that ends takes its sessions along at once; here are those that had chosen none, and one
        that chose it at that very moment.
        """
        while await self._end_some_expired():
            pass

    async def _end_some_expired(self) -> int:
        now = self._clock()
        over = or_(sessions.c.idle_until <= now, sessions.c.absolute_until <= now)
        async with self._store.transaction() as transaction:
            rows = await transaction.connection.execute(
                select(sessions.c.session_id, over.label("expired"))
                .where(sessions.c.ended_at.is_(None), or_(over, ~_has_ground()))
                .limit(500)
                .with_for_update(of=sessions, skip_locked=True)
            )
            ended = rows.all()
            for row in ended:
                reason = EndReason.EXPIRED if row.expired else EndReason.GRANT_ENDED
                await end_session(transaction, SessionId(row.session_id), reason, now, None)
        return len(ended)

    async def _find(
        self, connection: AsyncConnection, secret: str, *, lock: bool = False
    ) -> Row[tuple[object, ...]]:
        return await find_session(connection, secret, self._clock(), lock=lock)


async def find_session(
    connection: AsyncConnection, secret: str, now: datetime, *, lock: bool = False
) -> Row[tuple[object, ...]]:
    """The row of the session with this secret, and the person's name. Raises SessionOver."""
    query = (
        select(sessions, people.c.full_name)
        .join(people, people.c.person_id == sessions.c.person_id)
        .where(sessions.c.secret_hash == hash_of(secret), in_force(now))
    )
    if lock:  # a second click waits, and then finds what the first one left
        query = query.with_for_update(of=sessions)
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        raise SessionOver
    return row


def in_force(now: datetime) -> ColumnElement[bool]:
    """Not ended, neither idle nor old, and on a grant that is in force."""
    return and_(
        sessions.c.ended_at.is_(None),
        sessions.c.idle_until > now,
        sessions.c.absolute_until > now,
        _has_ground(),
    )


def has_staff_role(held: Sequence[HeldGrant]) -> bool:
    """Whether one of the roles is of staff, which role ever is chosen: the session could change to it."""
    return any(Role(grant.role).is_staff for grant in held)


def second_factor_missing(confirmed_at: datetime | None, held: Sequence[HeldGrant]) -> bool:
    return confirmed_at is None and has_staff_role(held)


async def choose_grant(
    transaction: Transaction[Event],
    session_id: SessionId,
    person_id: PersonId,
    grant: HeldGrant,
    at: datetime,
) -> None:
    choose = domain.ChooseRole(grant.grant_id, grant.role, grant.organisation_id, at)
    await change_session(transaction, session_id, choose, actor=person_id)
    await transaction.connection.execute(
        update(sessions).where(sessions.c.session_id == session_id).values(grant_id=grant.grant_id)
    )


async def rotate(connection: AsyncConnection, session_id: SessionId) -> str:
    """Give the session a new secret: what was known of the old one is of no use. Returns it."""
    secret = secrets.token_urlsafe(SECRET_BYTES)
    await connection.execute(
        update(sessions)
        .where(sessions.c.session_id == session_id)
        .values(secret_hash=hash_of(secret), return_to=None)
    )
    return secret


async def change_session(
    transaction: Transaction[Event],
    session_id: SessionId,
    command: domain.SessionCommand,
    *,
    actor: object | None,
) -> None:
    """Decide and append. Raises SessionOver."""
    stream = f"session-{session_id}"
    loaded = await transaction.load(stream)
    past = [event for event in loaded.events if isinstance(event, SessionEvent)]
    new = domain.decide(command, SESSION.state_after(past))
    await transaction.append(
        stream, new, expected=loaded.version, actor=str(actor) if actor is not None else None
    )


async def end_session(
    transaction: Transaction[Event],
    session_id: SessionId,
    reason: EndReason,
    at: datetime,
    actor: object | None,
) -> None:
    await change_session(transaction, session_id, domain.EndSession(reason, at), actor=actor)
    await transaction.connection.execute(
        update(sessions).where(sessions.c.session_id == session_id).values(ended_at=at)
    )


def _only_choice(held: Sequence[HeldGrant], purpose: Purpose) -> HeldGrant | None:
    """Who has one role only need not state it. A confirmation link is for the lead provider's role."""
    if purpose is Purpose.CONFIRMATION:
        held = [grant for grant in held if grant.role == Role.LEAD_PROVIDER]
    return held[0] if len(held) == 1 else None


def _has_ground() -> ColumnElement[bool]:
    """Whether the grant that was chosen is in force still; before the choice, any grant of the person."""
    held = exists().where(
        grants.c.person_id == sessions.c.person_id,
        or_(sessions.c.grant_id.is_(None), grants.c.grant_id == sessions.c.grant_id),
    )
    return held.correlate(sessions)


def hash_of(secret: str) -> bytes:
    """What is stored of a session's secret."""
    # The secret has 256 random bits: a slow hash would protect nothing more.
    return hashlib.sha256(secret.encode()).digest()

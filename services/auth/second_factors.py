"""Staff prove a second time that it is them: an authenticator app, set up at the first sign-in."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from pathlib import Path
from typing import Final
from uuid import uuid4

import structlog
from prometheus_client import Counter
from sqlalchemy import delete, exists, func, insert, select, update
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from services.auth.domain import second_factor as domain
from services.auth.domain.events import EndReason, Event, PersonId, SecondFactorEvent, SessionId
from services.auth.domain.second_factor import AlreadyEnrolled
from services.auth.domain.session import ConfirmSession
from services.auth.people import addressee_by_id, held_grants
from services.auth.sessions import (
    OpenSession,
    change_session,
    choose_grant,
    end_session,
    find_session,
    rotate,
)
from services.auth.signing_out import end_all, lock_person
from services.auth.tables import people, second_factors, sessions, wrong_codes
from services.auth.totp import enrolment_uri, new_secret, step_of
from services.auth.vault import SecretNotReadable, Vault
from shared.clock import LONDON, Clock
from shared.email import Email, Mailer
from shared.event_store import Decider, EventStore, Transaction
from shared.work_queue import Job, enqueue

log = structlog.get_logger(__name__)
CODES = Counter("checkdata_second_factor_codes_total", "Codes of second factors", ["outcome"])

FACTOR: Decider[domain.SecondFactorCommand, domain.SecondFactor, SecondFactorEvent] = Decider(
    domain.SecondFactor(), domain.decide, domain.evolve
)
TELL_OF_SECOND_FACTOR: Final = "tell_of_second_factor"
TRIES_PER_SESSION: Final = 5
"""Wrong codes after which the session is over: whoever goes on needs another link."""
TRIES_PER_PERSON: Final = 20
PER: Final = timedelta(hours=1)
"""Wrong codes of one person in so long. Only who reads their mailbox can use them up."""
NEVER: Final = -1


class CodeNotRight(Exception):
    """Wrong, too old, or used before."""


class TooManyCodes(Exception):
    def __init__(self, seconds: int) -> None:
        super().__init__(f"try again in {seconds} s")
        self.seconds = seconds


@dataclass(frozen=True, slots=True)
class Enrolment:
    """secret: to be typed into the app. uri: the same for the QR code."""

    secret: str
    uri: str


class SecondFactors:
    """shown_codes: in development, the folder where the inbox page finds whose codes to show."""

    def __init__(
        self,
        store: EventStore[Event],
        clock: Clock,
        vault: Vault,
        mailer: Mailer,
        shown_codes: Path | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._vault = vault
        self._mailer = mailer
        self._shown_codes = shown_codes

    async def offer(self, session: str) -> Enrolment:
        """A secret to set up an app with: one for this session, kept nowhere else until a code proves it.

        Raises SessionOver, and AlreadyEnrolled.
        """
        async with self._store.transaction() as transaction:
            connection = transaction.connection
            row = await find_session(connection, session, self._clock(), lock=True)
            person_id = PersonId(row.person_id)
            if await is_enrolled(connection, person_id):
                raise AlreadyEnrolled
            if row.offered_secret is not None:
                secret = self._vault.unlock(row.offered_secret, row.session_id)
            else:
                secret = new_secret()
                await connection.execute(
                    update(sessions)
                    .where(sessions.c.session_id == row.session_id)
                    .values(offered_secret=self._vault.lock(secret, row.session_id))
                )
            email = str(await connection.scalar(_EMAIL.where(people.c.person_id == person_id)))
        self._show(person_id, email, secret, NEVER)
        return Enrolment(secret, enrolment_uri(secret, email))

    async def check(self, session: str, code: str) -> OpenSession:
        """The session goes on, confirmed, under a new value. The first right code enrols.

        Raises SessionOver, CodeNotRight and TooManyCodes.
        """
        async with self._store.transaction() as transaction:
            answer = await self._check(transaction, session, code)
        if isinstance(answer, OpenSession):
            CODES.labels("right").inc()
            return answer
        CODES.labels("too_many" if isinstance(answer, TooManyCodes) else "wrong").inc()
        raise answer  # after the commit, which has counted it

    async def _check(
        self, transaction: Transaction[Event], session: str, code: str
    ) -> OpenSession | CodeNotRight | TooManyCodes:
        connection, now = transaction.connection, self._clock()
        person_id = PersonId((await find_session(connection, session, now)).person_id)
        # One at a time for each person: a code cannot be used twice at once. The person is locked before the
        # session, as wherever both are.
        email = str(await connection.scalar(_EMAIL.where(people.c.person_id == person_id).with_for_update()))
        row = await find_session(connection, session, now, lock=True)
        if wait := await _wait(connection, person_id, now):
            return TooManyCodes(wait)
        known = (
            await connection.execute(select(second_factors).where(second_factors.c.person_id == person_id))
        ).one_or_none()
        secret, after = self._secret_of(known, row)
        step = step_of(code, secret, now, after) if secret else None
        if secret is None or step is None:
            return await self._wrong(transaction, row, person_id, now)
        if known is None:
            await self._enrol(transaction, person_id, secret, step, now)
        else:
            await connection.execute(
                update(second_factors).where(second_factors.c.person_id == person_id).values(last_step=step)
            )
        self._show(person_id, email, secret, step)
        return await self._confirm(transaction, row, person_id, now)

    def _secret_of(
        self, known: Row[tuple[object, ...]] | None, session: Row[tuple[object, ...]]
    ) -> tuple[str | None, int]:
        """The secret that the code must belong to, and the last step that was used."""
        if known is not None:
            return self._vault.unlock(known.secret, known.person_id), known.last_step
        if session.offered_secret is not None:
            return self._vault.unlock(session.offered_secret, session.session_id), NEVER
        return None, NEVER

    async def _wrong(
        self,
        transaction: Transaction[Event],
        row: Row[tuple[object, ...]],
        person_id: PersonId,
        now: datetime,
    ) -> CodeNotRight:
        connection, session_id = transaction.connection, SessionId(row.session_id)
        await connection.execute(
            insert(wrong_codes).values(person_id=person_id, session_id=session_id, at=now)
        )
        tries = await connection.scalar(
            select(func.count()).select_from(wrong_codes).where(wrong_codes.c.session_id == session_id)
        )
        if (tries or 0) >= TRIES_PER_SESSION:
            await end_session(transaction, session_id, EndReason.WRONG_CODES, now, person_id)
        return CodeNotRight()

    async def _enrol(
        self, transaction: Transaction[Event], person_id: PersonId, secret: str, step: int, now: datetime
    ) -> None:
        await change_factor(transaction, person_id, domain.Enrol(person_id, now), person_id)
        await transaction.connection.execute(
            insert(second_factors).values(
                person_id=person_id,
                secret=self._vault.lock(secret, person_id),
                last_step=step,
                enrolled_at=now,
            )
        )
        await _have_told(transaction.connection, person_id, "enrolled", now)

    async def _confirm(
        self,
        transaction: Transaction[Event],
        row: Row[tuple[object, ...]],
        person_id: PersonId,
        now: datetime,
    ) -> OpenSession:
        connection, session_id = transaction.connection, SessionId(row.session_id)
        await change_session(transaction, session_id, ConfirmSession(now), actor=person_id)
        await connection.execute(
            update(sessions)
            .where(sessions.c.session_id == session_id)
            .values(confirmed_at=now, offered_secret=None)
        )
        await connection.execute(delete(wrong_codes).where(wrong_codes.c.session_id == session_id))
        held = await held_grants(connection, person_id)
        chosen = next((grant for grant in held if grant.grant_id == row.grant_id), None)
        if chosen is None and len(held) == 1:
            chosen = held[0]
            await choose_grant(transaction, session_id, person_id, chosen, now)
        return OpenSession(await rotate(connection, session_id), held, chosen, row.return_to)

    async def enrolled_at(self, person_id: PersonId) -> datetime | None:
        async with self._store.engine.connect() as connection:
            return await connection.scalar(
                select(second_factors.c.enrolled_at).where(second_factors.c.person_id == person_id)
            )

    async def reset(self, person_id: PersonId, by: PersonId) -> None:
        """The person sets up another app at the next sign-in; their sessions end.

        Raises NotYourself and NothingToReset.
        """
        now = self._clock()
        async with self._store.transaction() as transaction:
            connection = transaction.connection
            await lock_person(connection, person_id)
            await change_factor(transaction, person_id, domain.Reset(person_id, by, now), by)
            await connection.execute(delete(second_factors).where(second_factors.c.person_id == person_id))
            await end_all(transaction, person_id, EndReason.SECOND_FACTOR_RESET, now, by)
            await _have_told(connection, person_id, "reset", now)

    async def tell(self, job: Job) -> None:
        """Email the person that their second factor was set up or reset: it may not have been them."""
        async with self._store.engine.begin() as connection:
            person = await addressee_by_id(connection, PersonId(job.data["person_id"]))
        if person is None:
            return
        subject, what = _WORDS[job.data["what"]]
        at = datetime.fromisoformat(job.data["at"]).astimezone(LONDON)
        time = f"{at:%-I:%M%p}".lower()
        body = (
            f"Hello {person.full_name},\n\n"
            f"{what}, at {time} on {at:%-d %B %Y}.\n\n"
            "If you did not expect this, tell an administrator and those who look after your mailbox.\n\n"
            "Check data for delivery partners\n"
        )
        await self._mailer.send(Email(person.email, subject, body, reference=f"second-factor-{job.key}"))

    async def renew(self) -> None:
        """Encrypt under the newest key what is not yet. Then an older key can be dropped."""
        async with self._store.engine.begin() as connection:
            rows = await connection.execute(select(second_factors.c.person_id, second_factors.c.secret))
            for row in rows.all():
                try:
                    renewed = self._vault.renewed(row.secret)
                except SecretNotReadable:
                    log.error("second_factor_not_readable", person=str(row.person_id))
                    continue
                if renewed is not None:
                    await connection.execute(
                        update(second_factors)
                        .where(second_factors.c.person_id == row.person_id)
                        .where(second_factors.c.secret == row.secret)
                        .values(secret=renewed)
                    )
            await connection.execute(delete(wrong_codes).where(wrong_codes.c.at < self._clock() - PER))

    def _show(self, person_id: PersonId, email: str, secret: str, last_step: int) -> None:
        if self._shown_codes is None:
            return
        self._shown_codes.mkdir(parents=True, exist_ok=True)
        shown = {"email": email, "secret": secret, "last_step": last_step}
        file = self._shown_codes / f"{person_id}.json"
        unfinished = file.with_suffix(f".{uuid4().hex}")
        unfinished.write_text(json.dumps(shown))
        unfinished.replace(file)


_EMAIL = select(people.c.email)
_WORDS: Final = {
    "enrolled": (
        "An authenticator app was set up for Check data for delivery partners",
        "An authenticator app was set up for your sign-in to Check data for delivery partners",
    ),
    "reset": (
        "Your authenticator app for Check data for delivery partners was reset",
        "An administrator reset the authenticator app of your sign-in to Check data for delivery partners. "
        "You set up another one when you sign in next. This was done",
    ),
}


async def is_enrolled(connection: AsyncConnection, person_id: PersonId) -> bool:
    return bool(await connection.scalar(select(exists().where(second_factors.c.person_id == person_id))))


async def change_factor(
    transaction: Transaction[Event],
    person_id: PersonId,
    command: domain.SecondFactorCommand,
    actor: PersonId,
) -> None:
    stream = f"second-factor-{person_id}"
    loaded = await transaction.load(stream)
    past = [event for event in loaded.events if isinstance(event, SecondFactorEvent)]
    new = domain.decide(command, FACTOR.state_after(past))
    await transaction.append(stream, new, expected=loaded.version, actor=str(actor))


async def _wait(connection: AsyncConnection, person_id: PersonId, now: datetime) -> int:
    """Seconds until the person may try again; 0 when now."""
    row = (
        await connection.execute(
            select(func.count().label("tries"), func.min(wrong_codes.c.at).label("first")).where(
                wrong_codes.c.person_id == person_id, wrong_codes.c.at > now - PER
            )
        )
    ).one()
    if row.tries < TRIES_PER_PERSON:
        return 0
    first: datetime = row.first
    return max(1, ceil((first + PER - now).total_seconds()))


async def _have_told(connection: AsyncConnection, person_id: PersonId, what: str, at: datetime) -> None:
    data = {"person_id": str(person_id), "what": what, "at": at.isoformat()}
    await enqueue(connection, TELL_OF_SECOND_FACTOR, str(uuid4()), data)

"""Browsers from which people signed in before. A sign-in from another one is told to the person by email."""

import hashlib
import secrets
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, exists, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.auth.domain.events import PersonId, SessionId
from services.auth.people import addressee_by_id
from services.auth.tables import devices, sessions
from shared.clock import LONDON
from shared.email import Email, Mailer
from shared.work_queue import Job, enqueue

DEVICE_BYTES = 32
NEW_DEVICE = "new_device"


async def is_known(engine: AsyncEngine, device: str | None) -> bool:
    """Whether anybody signed in from this browser before. Says nothing about whom."""
    if not device:
        return False
    async with engine.connect() as connection:
        return await _exists(connection, device)


async def forget_old(engine: AsyncEngine, before: datetime) -> None:
    """Forget browsers that nobody signed in from since."""
    async with engine.begin() as connection:
        await connection.execute(delete(devices).where(devices.c.last_seen < before))


async def recognise(
    connection: AsyncConnection,
    person_id: PersonId,
    session_id: SessionId,
    device: str | None,
    at: datetime,
) -> str:
    """Note from where the person signs in, and have them told when it is new. Returns what the browser keeps.

    The first browser of a person is not told of: they asked for the link a moment ago. What the browser sent
    is kept only when it was made here, so nobody can prepare a value for somebody else.
    """
    first = not await connection.scalar(select(exists().where(devices.c.person_id == person_id)))
    if not device or not await _exists(connection, device):
        device = secrets.token_urlsafe(DEVICE_BYTES)
    values = {"device_hash": _hash(device), "person_id": person_id}
    known = await connection.scalar(
        select(exists().where(*(devices.c[name] == value for name, value in values.items())))
    )
    await connection.execute(
        insert(devices)
        .values(**values, first_seen=at, last_seen=at)
        .on_conflict_do_update(index_elements=list(values), set_={"last_seen": at})
    )
    if not known and not first:
        await enqueue(connection, NEW_DEVICE, str(session_id), {"session_id": str(session_id)})
    return device


class DeviceNotices:
    """Tells people of sign-ins from new browsers."""

    def __init__(self, engine: AsyncEngine, mailer: Mailer, public_url: str) -> None:
        self._engine = engine
        self._mailer = mailer
        self._public_url = public_url

    async def tell(self, job: Job) -> None:
        session_id = UUID(job.data["session_id"])
        async with self._engine.begin() as connection:
            row = (
                await connection.execute(select(sessions).where(sessions.c.session_id == session_id))
            ).one_or_none()
            person = row and await addressee_by_id(connection, PersonId(row.person_id))
        if row is None or person is None:
            return
        at = row.started_at.astimezone(LONDON)
        time = f"{at:%-I:%M%p}".lower()
        body = (
            f"Hello {person.full_name},\n\n"
            "Somebody signed in to Check data for delivery partners with your email address, from a browser "
            "that was not used for it before:\n\n"
            f"{row.browser or 'a browser that did not say its name'}, at {time} on {at:%-d %B %Y}\n\n"
            "If this was you, there is nothing to do.\n\n"
            f"If it was not, sign in at {self._public_url}/sign-in, go to {self._public_url}/your-sessions "
            "and sign out everywhere. Then tell us, and those who look after your mailbox.\n\n"
            "Check data for delivery partners\n"
        )
        subject = "A new sign-in to Check data for delivery partners"
        await self._mailer.send(Email(person.email, subject, body, reference=f"new-device-{session_id}"))


async def _exists(connection: AsyncConnection, device: str) -> bool:
    return bool(await connection.scalar(select(exists().where(devices.c.device_hash == _hash(device)))))


def _hash(device: str) -> bytes:
    return hashlib.sha256(device.encode()).digest()

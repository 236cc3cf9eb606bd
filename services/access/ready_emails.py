"""Tells who asked for it when a file is ready: the way to its page, where one has to be signed in."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import Table, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.access.tables import grants, people
from shared.contracts import export
from shared.contracts.envelope import CloudEvent
from shared.email import Email, Mailer
from shared.work_queue import GiveUp, Handler, Job, enqueue

READY_EMAIL: Final = "export-ready-email"
BODY: Final = """\
Hello,

The file that you asked for in Check data for delivery partners is ready.

Sign in with this email address, and fetch it here. It is kept for a short time only:
{public_url}/exports/{export_id}

Only you can fetch it, in the role in which you asked for it.
"""


class ReadyFiles:
    """Asks for the emails. What is told twice, or anew, is asked for once: a job has its export's ID."""

    name = "ready-files"
    publisher = "export"
    tables: tuple[Table, ...] = ()

    async def apply(self, connection: AsyncConnection, events: Sequence[CloudEvent]) -> None:
        for event in events:
            if event.type != export.ExportWritten.type:
                continue
            written = export.CATALOGUE.read(event)
            if isinstance(written, export.ExportWritten) and written.email_wished:
                data = {
                    "person_id": str(written.person_id),
                    "role": written.role.value,
                    "organisation_id": str(written.organisation_id),
                }
                await enqueue(connection, READY_EMAIL, str(written.export_id), data)


class ReadyEmails:
    def __init__(self, engine: AsyncEngine, mailer: Mailer, public_url: str) -> None:
        self._engine = engine
        self._mailer = mailer
        self._public_url = public_url

    @property
    def handlers(self) -> dict[str, Handler]:
        return {READY_EMAIL: self._send}

    async def _send(self, job: Job) -> None:
        query = (
            select(people.c.email)
            .join(grants, grants.c.person_id == people.c.person_id)
            .where(
                people.c.person_id == UUID(job.data["person_id"]),
                grants.c.role == job.data["role"],
                grants.c.organisation_id == UUID(job.data["organisation_id"]),
                grants.c.ended_at.is_(None),
                grants.c.suspended_at.is_(None),
            )
        )
        async with self._engine.connect() as connection:
            email = await connection.scalar(query)
        if email is None:
            raise GiveUp("the grant has ended meanwhile, or is suspended")
        body = BODY.format(public_url=self._public_url, export_id=job.key)
        await self._mailer.send(Email(email, "Your file is ready", body, f"export-ready-{job.key}"))

"""Emails about requests that wait: to whoever they wait for, and to those who asked."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, func, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.access.domain.events import Step
from services.access.domain.request.state import ROLE_OF_STEP
from services.access.domain.vocabulary import PersonId
from services.access.queries.people import active_holders
from services.access.tables import organisations, people, requests
from shared.contracts.roles import Role
from shared.email import Email, Mailer
from shared.work_queue import GiveUp, Handler, Job, enqueue

REMINDER_EMAIL: Final = "request-reminder-email"
RETURNED_EMAIL: Final = "request-returned-email"
EXPIRED_EMAIL: Final = "request-expired-email"

PAGES: Final[dict[Step | None, str]] = {
    Step.TRIAGE: "/staff/access-requests",
    Step.POLICY_CHECK: "/staff/access-requests",
    Step.CONFIRMATION: "/lead-provider/confirmations",
    None: "/access-requests",
}
BODIES: Final = {
    REMINDER_EMAIL: (
        "An access request waits for you",
        """\
Hello {name},

A request for access for {subject} ({role}) waits for you since {since}.

Sign in to answer it:
{public_url}{page}
""",
    ),
    RETURNED_EMAIL: (
        "A request for access needs more information",
        """\
Hello {name},

The request for access that you made for {subject} ({role}) was sent back: we need more information.

Sign in to read what we need, and to answer:
{public_url}{page}
""",
    ),
    EXPIRED_EMAIL: (
        "A request for access has expired",
        """\
Hello {name},

The request for access that you made for {subject} ({role}) has expired: nobody answered in time.

If access is still needed, sign in and ask again:
{public_url}{page}
""",
    ),
}


async def tell_returned(connection: AsyncConnection, request_id: UUID, at: datetime) -> None:
    """In the transaction that sends the request back."""
    await _tell_maker(connection, RETURNED_EMAIL, request_id, at)


async def tell_expired(connection: AsyncConnection, request_id: UUID, at: datetime) -> None:
    """In the transaction in which the request expires."""
    await _tell_maker(connection, EXPIRED_EMAIL, request_id, at)


async def tell_reminded(
    connection: AsyncConnection, request: Row[Any], step: Step | None, since: datetime
) -> None:
    """In the transaction that records the reminder: one email to each person whom it waits for."""
    for person_id in await _waited_for(connection, request, step):
        await _enqueue(connection, REMINDER_EMAIL, request.request_id, since, person_id, step)


async def _waited_for(
    connection: AsyncConnection, request: Row[Any], step: Step | None
) -> tuple[PersonId, ...]:
    if step is None:
        return (PersonId(request.made_by),)
    organisation = request.lead_provider_id if step is Step.CONFIRMATION else None
    return await active_holders(connection, ROLE_OF_STEP[step], organisation)


async def _tell_maker(connection: AsyncConnection, kind: str, request_id: UUID, at: datetime) -> None:
    query = select(requests.c.made_by).where(requests.c.request_id == request_id)
    made_by: UUID = (await connection.execute(query)).scalar_one()
    await _enqueue(connection, kind, request_id, at, PersonId(made_by), None)


async def _enqueue(
    connection: AsyncConnection,
    kind: str,
    request_id: UUID,
    since: datetime,
    person_id: PersonId,
    step: Step | None,
) -> None:
    key = f"{request_id}:{since.isoformat()}:{person_id}"
    data = {
        "request_id": str(request_id),
        "person_id": str(person_id),
        "since": since.isoformat(),
        "step": step.value if step else None,
    }
    await enqueue(connection, kind, key, data)


class WaitingEmails:
    """Looks up who is to be told, and tells them. Jobs carry IDs only."""

    def __init__(self, engine: AsyncEngine, mailer: Mailer, public_url: str) -> None:
        self._engine = engine
        self._mailer = mailer
        self._public_url = public_url

    @property
    def handlers(self) -> dict[str, Handler]:
        return dict.fromkeys(BODIES, self._send)

    async def _send(self, job: Job) -> None:
        told, subjects = people.alias("told"), people.alias("subjects")
        query = (
            select(
                told.c.full_name,
                told.c.email,
                func.coalesce(requests.c.name_given, subjects.c.email).label("subject"),
                requests.c.role,
                requests.c.made_as,
                organisations.c.name.label("organisation"),
            )
            .select_from(requests)
            .join(subjects, subjects.c.person_id == requests.c.person_id)
            .join(organisations, organisations.c.organisation_id == requests.c.organisation_id)
            .join(told, told.c.person_id == UUID(job.data["person_id"]))
            .where(requests.c.request_id == UUID(job.data["request_id"]))
        )
        async with self._engine.connect() as connection:
            row = (await connection.execute(query)).first()
        if row is None:
            raise GiveUp("nobody is known who is to be told")
        step = Step(job.data["step"]) if job.data["step"] else None
        since = datetime.fromisoformat(job.data["since"])
        asked_by_staff = step is None and Role(row.made_as).is_staff
        subject, body = BODIES[job.kind]
        text = body.format(
            name=row.full_name,
            subject=row.subject,
            role=f"{Role(row.role).label}, {row.organisation}",
            since=f"{since.day} {since:%B %Y}",
            public_url=self._public_url,
            page=PAGES[Step.TRIAGE] if asked_by_staff else PAGES[step],
        )
        await self._mailer.send(Email(row.email, subject, text, f"{job.kind}-{job.key}"))

"""Emails about requests that wait: to whoever they wait for, and to those who asked."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.access.domain.events import Event, RequestReturned, Step
from services.access.domain.request.state import ROLE_OF_STEP
from services.access.domain.vocabulary import PersonId
from services.access.queries.people import active_holders
from services.access.tables import asked_by_themself, organisations, people, requests
from shared.contracts.roles import Role
from shared.email import Email, Mailer
from shared.event_store import EventStore
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
OWN_RETURNED: Final = """\
Hello {name},

Before we can decide about your access to Check data for delivery partners ({role}), we need to know more:

{words}

Write to us, from this email address:
{public_url}/contact
"""
OWN_BODIES: Final = {
    EXPIRED_EMAIL: (
        "Your request for access has expired",
        """\
Hello {name},

Your request for access to Check data for delivery partners ({role}) has expired: nobody answered in time.

If you still need access, ask again:
{public_url}/ask-for-access
""",
    ),
    RETURNED_EMAIL: (
        "Your request for access needs more information",
        OWN_RETURNED,
    ),
    REMINDER_EMAIL: ("Your request for access waits for you", OWN_RETURNED),
}
"""To people without access, who cannot sign in to read more."""


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

    def __init__(self, store: EventStore[Event], mailer: Mailer, public_url: str) -> None:
        self._store = store
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
                (asked_by_themself & (requests.c.person_id == told.c.person_id)).label("own"),
                organisations.c.name.label("organisation"),
            )
            .select_from(requests)
            .join(subjects, subjects.c.person_id == requests.c.person_id)
            .join(organisations, organisations.c.organisation_id == requests.c.organisation_id)
            .join(told, told.c.person_id == UUID(job.data["person_id"]))
            .where(requests.c.request_id == UUID(job.data["request_id"]))
        )
        async with self._store.engine.connect() as connection:
            row = (await connection.execute(query)).first()
        if row is None:
            raise GiveUp("nobody is known who is to be told")
        step = Step(job.data["step"]) if job.data["step"] else None
        since = datetime.fromisoformat(job.data["since"])
        asked_by_staff = step is None and Role(row.made_as).is_staff
        subject, body = (OWN_BODIES if row.own else BODIES)[job.kind]
        text = body.format(
            name=row.full_name,
            subject=row.subject,
            role=f"{Role(row.role).label}, {row.organisation}",
            since=f"{since.day} {since:%B %Y}",
            words=await self._what_is_needed(job.data["request_id"]) if row.own else "",
            public_url=self._public_url,
            page=PAGES[Step.TRIAGE] if asked_by_staff else PAGES[step],
        )
        await self._mailer.send(Email(row.email, subject, text, f"{job.kind}-{job.key}"))

    async def _what_is_needed(self, request_id: str) -> str:
        """What staff wrote when they last sent the request back."""
        recorded = await self._store.read_stream(f"request-{request_id}")
        returned = [r.event.reason for r in recorded if isinstance(r.event, RequestReturned)]
        return returned[-1] if returned else ""

"""Emails: that somebody can sign in, or no longer can, and that a request was declined."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, func, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.access.domain.events import SuspendReason
from services.access.queries.people import SUSPENDED
from services.access.tables import asked_by_themself, grants, organisations, people, requests
from shared.contracts.access import DeclineKind
from shared.contracts.roles import Role
from shared.email import Email, Mailer
from shared.work_queue import GiveUp, Handler, Job, enqueue

GRANTED_EMAIL: Final = "access-granted-email"
SUSPENDED_EMAIL: Final = "access-suspended-email"
DECLINED_EMAIL: Final = "request-declined-email"

GRANTED_BODY = """\
Hello {name},

You can now sign in to Check data for delivery partners as: {role}.

Sign in with this email address:
{public_url}/sign-in

We will email you a link each time. You need no password.

If you did not expect this email, you can ignore it. Nobody can sign in without the links we email you.
"""
SUSPENDED_BODY = """\
Hello {name},

You can no longer sign in to Check data for delivery partners as: {role}.

{reason} DfE policy can restore your access, and we will email you when they do. You do not need to ask again.
"""
DECLINED_BODY = """\
Hello {name},

The request for access that you made for {subject} ({role}) was declined.

Sign in to read the reason, and what you can do next:
{public_url}/access-requests
"""
OWN_DECLINED_BODY = """\
Hello {name},

Your request for access to Check data for delivery partners ({role}) was declined: {kind}.

If you think that this is wrong, write to us:
{public_url}/contact
"""


async def tell_granted(
    connection: AsyncConnection, grant_id: UUID, restored_at: datetime | None = None
) -> None:
    """In the transaction that gives the grant, or restores it."""
    key = f"{grant_id}:{restored_at.isoformat()}" if restored_at else str(grant_id)
    await enqueue(connection, GRANTED_EMAIL, key, {"grant_id": str(grant_id)})


async def tell_suspended(connection: AsyncConnection, grant_id: UUID, at: datetime) -> None:
    """In the transaction that suspends the grant."""
    await enqueue(connection, SUSPENDED_EMAIL, f"{grant_id}:{at.isoformat()}", {"grant_id": str(grant_id)})


async def tell_declined(connection: AsyncConnection, request_id: UUID) -> None:
    """In the transaction that declines the request."""
    await enqueue(connection, DECLINED_EMAIL, str(request_id), {"request_id": str(request_id)})


class Emails:
    """Looks up who is to be told, and tells them. Jobs carry IDs only."""

    def __init__(self, engine: AsyncEngine, mailer: Mailer, public_url: str) -> None:
        self._engine = engine
        self._mailer = mailer
        self._public_url = public_url

    @property
    def handlers(self) -> dict[str, Handler]:
        return {
            GRANTED_EMAIL: self._granted,
            SUSPENDED_EMAIL: self._suspended,
            DECLINED_EMAIL: self._declined,
        }

    async def _granted(self, job: Job) -> None:
        row = await self._grant(job)
        if row is None or row.suspended_at is not None:
            raise GiveUp("the grant has ended meanwhile, or is suspended")
        body = GRANTED_BODY.format(
            name=row.full_name, role=_role_of(row.role, row.name), public_url=self._public_url
        )
        reference = f"granted-{job.key}"
        await self._mailer.send(Email(row.email, "You can sign in to Check data", body, reference))

    async def _suspended(self, job: Job) -> None:
        row = await self._grant(job)
        if row is None or row.suspended_at is None:
            raise GiveUp("the grant has ended meanwhile, or is restored")
        body = SUSPENDED_BODY.format(
            name=row.full_name,
            role=_role_of(row.role, row.name),
            reason=SUSPENDED[SuspendReason(row.suspended_reason)],
        )
        await self._mailer.send(
            Email(row.email, "Your access to Check data is suspended", body, f"suspended-{job.key}")
        )

    async def _grant(self, job: Job) -> Row[Any] | None:
        query = (
            select(grants, people.c.full_name, people.c.email, organisations.c.name)
            .join(people, people.c.person_id == grants.c.person_id)
            .outerjoin(organisations, organisations.c.organisation_id == grants.c.organisation_id)
            .where(grants.c.grant_id == UUID(job.data["grant_id"]), grants.c.ended_at.is_(None))
        )
        async with self._engine.connect() as connection:
            return (await connection.execute(query)).first()

    async def _declined(self, job: Job) -> None:
        subjects, makers = people.alias("subjects"), people.alias("makers")
        query = (
            select(
                makers.c.full_name,
                makers.c.email,
                func.coalesce(requests.c.name_given, subjects.c.email).label("subject"),
                requests.c.role,
                requests.c.outcome_kind,
                asked_by_themself.label("by_themself"),
                organisations.c.name,
            )
            .select_from(requests)
            .join(subjects, subjects.c.person_id == requests.c.person_id)
            .join(makers, makers.c.person_id == requests.c.made_by)
            .outerjoin(organisations, organisations.c.organisation_id == requests.c.organisation_id)
            .where(requests.c.request_id == UUID(job.data["request_id"]))
        )
        async with self._engine.connect() as connection:
            row = (await connection.execute(query)).first()
        if row is None:
            raise GiveUp("nobody is known who made this request")
        kind = DeclineKind(row.outcome_kind or DeclineKind.OTHER).label
        body = (OWN_DECLINED_BODY if row.by_themself else DECLINED_BODY).format(
            name=row.full_name,
            subject=row.subject,
            kind=kind[:1].lower() + kind[1:],
            role=_role_of(row.role, row.name),
            public_url=self._public_url,
        )
        reference = f"declined-{job.data['request_id']}"
        await self._mailer.send(Email(row.email, "A request for access was declined", body, reference))


def _role_of(role: str, organisation: str | None) -> str:
    label = Role(role).label
    return label if organisation is None else f"{label}, {organisation}"

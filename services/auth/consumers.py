"""What access tells: people, names of organisations, grants. A grant that ends takes its sessions along."""

from collections.abc import Sequence
from uuid import UUID

import structlog
from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.auth.domain.events import EndReason, Event, SessionId
from services.auth.erasure import forget_person
from services.auth.links import CONFIRMATION_LINK
from services.auth.people import email_key
from services.auth.publishing import CODEC
from services.auth.sessions import end_session
from services.auth.tables import grants, organisations, people, sessions
from shared.bus.trace import trace_of
from shared.clock import Clock, system_clock
from shared.contracts import access
from shared.contracts.envelope import CloudEvent, PublishedEvent
from shared.event_store import Transaction
from shared.tracing import tracing
from shared.work_queue import enqueue

log = structlog.get_logger(__name__)


class AccessFollower:
    """Projection of access's published events."""

    name = "access"
    publisher = "access"
    tables = (people, organisations, grants)

    def __init__(self, clock: Clock = system_clock) -> None:
        self._clock = clock

    async def apply(self, connection: AsyncConnection, events: Sequence[CloudEvent]) -> None:
        for event in events:
            if event.type not in access.CATALOGUE:
                # Parked, it would hold back what follows about the person: the end of a grant, say.
                log.warning("event_type_unknown", type=event.type)
                continue
            with tracing(trace_of(event)):
                await self._apply(connection, access.CATALOGUE.read(event))

    async def _apply(self, connection: AsyncConnection, event: PublishedEvent) -> None:
        match event:
            case access.PersonRegistered():
                values = {
                    "full_name": event.full_name,
                    "email": event.email,
                    "email_key": email_key(event.email),
                }
                await connection.execute(
                    insert(people)
                    .values(person_id=event.person_id, **values)
                    .on_conflict_do_update(index_elements=[people.c.person_id], set_=values)
                )
            case access.PersonErased():
                await forget_person(connection, event.person_id)
            case access.OrganisationNamed():
                await connection.execute(
                    insert(organisations)
                    .values(organisation_id=event.organisation_id, name=event.name)
                    .on_conflict_do_update(
                        index_elements=[organisations.c.organisation_id], set_={"name": event.name}
                    )
                )
            case access.GrantGiven() | access.GrantRestored():
                await connection.execute(
                    insert(grants)
                    .values(
                        grant_id=event.grant_id,
                        person_id=event.person_id,
                        role=event.role.value,
                        organisation_id=event.organisation_id,
                        review_on=event.review_on,
                    )
                    .on_conflict_do_nothing()
                )
            case access.GrantEnded():
                await self._end_grant(connection, event.grant_id, event.ended_by)
            case access.GrantSuspended():
                await self._end_grant(connection, event.grant_id, None)
            case access.ConfirmationRequested():
                for contact in event.contacts:
                    await enqueue(
                        connection,
                        CONFIRMATION_LINK,
                        f"{event.request_id}:{contact}",
                        {"person_id": str(contact)},
                    )
            case _:
                pass  # steps and agreements are for the audit, not for us

    async def _end_grant(self, connection: AsyncConnection, grant_id: UUID, ended_by: UUID | None) -> None:
        await connection.execute(delete(grants).where(grants.c.grant_id == grant_id))
        in_use = await connection.scalars(
            select(sessions.c.session_id)
            .where(sessions.c.grant_id == grant_id, sessions.c.ended_at.is_(None))
            .with_for_update()
        )
        transaction: Transaction[Event] = Transaction(connection, CODEC, self._clock)
        for session_id in in_use.all():
            await end_session(
                transaction, SessionId(session_id), EndReason.GRANT_ENDED, self._clock(), ended_by
            )

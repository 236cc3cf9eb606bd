"""What became of the emails that were sent: for support, who are asked why nothing came."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

import structlog
from prometheus_client import Counter
from sqlalchemy import Column, DateTime, MetaData, Table, Text, delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.clock import Clock
from shared.contracts.emails import UndeliveredEmail, WhyUndelivered
from shared.email.mailer import Email, Mailer, Outcome, Tracks, Undeliverable

log = structlog.get_logger(__name__)

EMAILS = Counter("checkdata_emails_total", "Emails, by what became of them", ["outcome"])

KEPT: Final = timedelta(days=30)
ASKED_FOR: Final = timedelta(days=4)
"""Notify itself tries for three days."""
ASKED_EVERY: Final = timedelta(minutes=5)
ASKED_AT_ONCE: Final = 50
SHOWN: Final = 200

sent_emails = Table(
    "sent_emails",
    MetaData(),
    Column("reference", Text, primary_key=True),
    Column("address", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("reason", Text),
    Column("provider_id", Text),
    Column("sent_at", DateTime(timezone=True), nullable=False),
    Column("looked_at", DateTime(timezone=True), nullable=False),
)


class RecordedMailer:
    """Sends by another mailer, and keeps for a while what became of it.

    An address that takes no email is not the sender's trouble: it is kept for support, and the work goes on.
    """

    def __init__(self, engine: AsyncEngine, mailer: Mailer, clock: Clock) -> None:
        self._engine = engine
        self._mailer = mailer
        self._clock = clock

    async def send(self, email: Email) -> None:
        try:
            provider_id = await self._mailer.send(email)
        except Undeliverable:
            await self._keep(email, "failed", WhyUndelivered.REFUSED, None)
        else:
            await self._keep(email, "sent", None, provider_id)

    async def _keep(
        self, email: Email, state: str, why: WhyUndelivered | None, provider_id: str | None
    ) -> None:
        now = self._clock()
        row = {
            "address": email.to,
            "subject": email.subject,
            "state": state,
            "reason": why,
            "provider_id": provider_id,
            "sent_at": now,
            "looked_at": now,
        }
        query = insert(sent_emails).values(reference=email.reference, **row)
        async with self._engine.begin() as connection:
            await connection.execute(
                query.on_conflict_do_update(index_elements=[sent_emails.c.reference], set_=row)
            )
        EMAILS.labels(why or state).inc()
        if why is not None:
            log.warning("email_undelivered", reference=email.reference, why=why)

    async def look_after(self) -> None:
        """Ask what became of some of those that were sent; forget the old ones. To be repeated."""
        await self._forget()
        if isinstance(self._mailer, Tracks):
            for reference, provider_id in await self._open():
                await self._ask(self._mailer, reference, provider_id)

    async def _forget(self) -> None:
        async with self._engine.begin() as connection:
            await connection.execute(delete(sent_emails).where(sent_emails.c.sent_at < self._clock() - KEPT))

    async def _open(self) -> Sequence[tuple[str, str]]:
        now = self._clock()
        query = (
            select(sent_emails.c.reference, sent_emails.c.provider_id)
            .where(
                sent_emails.c.state == "sent",
                sent_emails.c.provider_id.is_not(None),
                sent_emails.c.looked_at <= now - ASKED_EVERY,
                sent_emails.c.sent_at > now - ASKED_FOR,
            )
            .order_by(sent_emails.c.looked_at)
            .limit(ASKED_AT_ONCE)
        )
        async with self._engine.connect() as connection:
            return [(row.reference, row.provider_id) for row in await connection.execute(query)]

    async def _ask(self, mailer: Tracks, reference: str, provider_id: str) -> None:
        try:
            outcome = await mailer.outcome(provider_id)
        except Exception as error:
            # It is asked again; whatever is wrong there must not stop the emails.
            log.warning("email_outcome_not_known", reference=reference, error=type(error).__name__)
            outcome = Outcome.UNKNOWN
        values: dict[str, object] = {"looked_at": self._clock()}
        if outcome is Outcome.DELIVERED:
            values["state"] = "delivered"
        elif outcome is not Outcome.UNKNOWN:
            values |= {"state": "failed", "reason": WhyUndelivered(outcome)}
            log.warning("email_undelivered", reference=reference, why=outcome)
        async with self._engine.begin() as connection:
            await connection.execute(
                update(sent_emails).where(sent_emails.c.reference == reference).values(values)
            )
        if outcome is not Outcome.UNKNOWN:
            EMAILS.labels(outcome).inc()


async def undelivered(engine: AsyncEngine) -> list[UndeliveredEmail]:
    """Those that did not arrive, newest first."""
    query = (
        select(sent_emails)
        .where(sent_emails.c.state == "failed")
        .order_by(sent_emails.c.sent_at.desc())
        .limit(SHOWN)
    )
    async with engine.connect() as connection:
        return [
            UndeliveredEmail(
                address=row.address,
                subject=row.subject,
                sent_at=row.sent_at,
                why=WhyUndelivered(row.reason),
            )
            for row in await connection.execute(query)
        ]

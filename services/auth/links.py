"""Links: asked for, issued, emailed. Nothing that could sign anyone in is kept or queued."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from prometheus_client import Counter
from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.auth.domain import link as links
from services.auth.domain.events import Event, LinkEvent, LinkId, LinkIssued, PersonId, Purpose
from services.auth.domain.link_token import link_token
from services.auth.people import Addressee, addressee_by_email, addressee_by_id
from services.auth.tables import links as link_rows
from services.auth.tables import people
from shared.clock import LONDON, Clock
from shared.email import Email, Mailer
from shared.event_store import Decider, EventStore, Transaction
from shared.work_queue import Job, enqueue

LINK: Decider[links.LinkCommand, links.Link, LinkEvent] = Decider(links.Link(), links.decide, links.evolve)

LINKS = Counter("checkdata_links_total", "Links by purpose, and what became of them", ["purpose", "outcome"])

SEND_LINK = "send_link"
CONFIRMATION_LINK = "confirmation_link"
EMAIL_LINK = "email_link"

PER = timedelta(minutes=15)
"""The time in which links to one person are counted. Only those that somebody asked for count: a busy day of
confirmations must not keep a contact from signing in."""


def link_stream(link_id: LinkId) -> str:
    return f"link-{link_id}"


@dataclass(frozen=True, slots=True)
class LinkRules:
    lifetime: timedelta
    confirmation_lifetime: timedelta
    per_person: int
    public_url: str
    key: bytes
    bits: int


class Links:
    """The work that a link takes, in the background: so that asking for one tells nothing."""

    def __init__(self, store: EventStore[Event], clock: Clock, mailer: Mailer, rules: LinkRules) -> None:
        self._store = store
        self._clock = clock
        self._mailer = mailer
        self._rules = rules

    async def ask(self, email: str, return_to: str | None) -> None:
        """Somebody typed this address. The same work for every address: one row to be looked at later."""
        async with self._store.transaction() as transaction:
            transaction.wake_when_done()  # the workers
            asked = {"email": _storable(email), "return_to": _storable(return_to) if return_to else None}
            await enqueue(transaction.connection, SEND_LINK, str(uuid4()), asked)

    async def send_link(self, job: Job) -> None:
        """Issue a link when the address is that of a person who may sign in; otherwise do nothing."""
        async with self._store.transaction() as transaction:
            person = await addressee_by_email(transaction.connection, job.data["email"])
            if person is None or await self._enough(transaction.connection, person.person_id):
                return
            await self._issue(
                transaction,
                person.person_id,
                Purpose.SIGN_IN,
                self._clock() + self._rules.lifetime,
                job.data["return_to"],
            )

    async def confirmation_link(self, job: Job) -> None:
        """Issue the link by which a lead provider's contact comes to what awaits them."""
        async with self._store.transaction() as transaction:
            person = await addressee_by_id(transaction.connection, PersonId(UUID(job.data["person_id"])))
            if person is None:
                return
            await self._issue(
                transaction,
                person.person_id,
                Purpose.CONFIRMATION,
                self._clock() + self._rules.confirmation_lifetime,
                "/lead-provider/confirmations",
            )

    async def email_link(self, job: Job) -> None:
        """Send the email of a link that was issued, unless it can be used no more or the person is gone."""
        async with self._store.transaction() as transaction:
            link_id = LinkId(UUID(job.data["link_id"]))
            state = LINK.state_after(await _events_of(transaction, link_id))
            if state.issued is None or state.spent or state.issued.expires_at <= self._clock():
                return
            person = await addressee_by_id(transaction.connection, state.issued.person_id)
        if person is not None:
            await self._mailer.send(self._email(person, state.issued))
            LINKS.labels(state.issued.purpose.value, "sent").inc()

    async def _enough(self, connection: AsyncConnection, person_id: PersonId) -> bool:
        """Whether many were sent, and the last is good for half of its time still.

        A stranger who asks in somebody's name can fill their mailbox so far and no further, and leaves them
        with a link that is not replaced under their hands.
        """
        now = self._clock()
        recent = select(
            func.count().label("sent"),
            func.max(link_rows.c.issued_at).filter(link_rows.c.spent_at.is_(None)).label("live_since"),
        ).where(
            link_rows.c.person_id == person_id,
            link_rows.c.purpose == Purpose.SIGN_IN.value,
            link_rows.c.issued_at > now - PER,
        )
        row = (await connection.execute(recent)).one()
        if row.sent < self._rules.per_person:
            return False
        return row.live_since is not None and row.live_since > now - self._rules.lifetime / 2

    async def _issue(
        self,
        transaction: Transaction[Event],
        person_id: PersonId,
        purpose: Purpose,
        expires_at: datetime,
        return_to: str | None,
    ) -> None:
        """A new link ends the person's older ones of the same purpose."""
        link_id = LinkId(uuid4())
        for older in await _live_links(transaction.connection, person_id, purpose):
            await change_link(transaction, older, links.SupersedeLink(link_id), self._clock())
        issue = links.IssueLink(link_id, person_id, purpose, expires_at, return_to)
        await transaction.connection.execute(
            insert(link_rows).values(
                link_id=link_id, person_id=person_id, purpose=purpose.value, issued_at=self._clock()
            )
        )
        await change_link(transaction, link_id, issue, self._clock())
        await enqueue(transaction.connection, EMAIL_LINK, str(link_id), {"link_id": str(link_id)})

    def _email(self, person: Addressee, issued: LinkIssued) -> Email:
        url = f"{self._rules.public_url}/sign-in/link/{self._token(issued.link_id)}"
        until = issued.expires_at.astimezone(LONDON)
        time = f"{until:%-I:%M%p}".lower()
        subject, why = _WORDS[issued.purpose]
        body = (
            f"Hello {person.full_name},\n\n"
            f"{why}\n\n"
            f"{url}\n\n"
            f"You can use this link once, until {time} on {until:%-d %B %Y}. "
            f"If you need another one, go to {self._rules.public_url}/sign-in\n\n"
            "If you did not expect this email, you can ignore it. "
            "Do not forward it: the link is only for you.\n\n"
            "Check data for delivery partners\n"
        )
        return Email(person.email, subject, body, reference=f"link-{issued.link_id}")

    def _token(self, link_id: LinkId) -> str:
        return link_token(link_id, self._rules.key, bits=self._rules.bits)


_WORDS = {
    Purpose.SIGN_IN: (
        "Your sign-in link for Check data for delivery partners",
        "Use this link to sign in to Check data for delivery partners:",
    ),
    Purpose.CONFIRMATION: (
        "Please confirm who may see your participants’ data",
        "A delivery partner asked for access for one of its people, and names you as its lead provider. "
        "Use this link to see the request, and to confirm or refuse it:",
    ),
}


def _storable(text: str) -> str:
    """Postgres keeps any character of JSON but NUL, which is in no address and in no path."""
    return text.replace("\0", "")


async def change_link(
    transaction: Transaction[Event], link_id: LinkId, command: links.LinkCommand, at: datetime
) -> None:
    """Decide, append, and keep the row in step. Raises LinkNotUsable."""
    past = await _events_of(transaction, link_id)
    new = links.decide(command, LINK.state_after(past))
    await transaction.append(link_stream(link_id), new, expected=len(past), actor=None)
    if any(not isinstance(event, LinkIssued) for event in new):
        await transaction.connection.execute(
            update(link_rows).where(link_rows.c.link_id == link_id).values(spent_at=at)
        )


async def lock_owner(connection: AsyncConnection, link_id: LinkId) -> None:
    """Keep the person of a link to this transaction. Raises nothing for a link that is not there."""
    await connection.execute(
        select(people.c.person_id)
        .join(link_rows, link_rows.c.person_id == people.c.person_id)
        .where(link_rows.c.link_id == link_id)
        .with_for_update(of=people)
    )


async def load_link(transaction: Transaction[Event], link_id: LinkId) -> links.Link:
    return LINK.state_after(await _events_of(transaction, link_id))


async def _events_of(transaction: Transaction[Event], link_id: LinkId) -> Sequence[LinkEvent]:
    loaded = await transaction.load(link_stream(link_id))
    return [event for event in loaded.events if isinstance(event, LinkEvent)]


async def _live_links(connection: AsyncConnection, person_id: PersonId, purpose: Purpose) -> Sequence[LinkId]:
    rows = await connection.scalars(
        select(link_rows.c.link_id).where(
            link_rows.c.person_id == person_id,
            link_rows.c.purpose == purpose.value,
            link_rows.c.spent_at.is_(None),
        )
    )
    return [LinkId(row) for row in rows]

"""People without access ask for it: by a link in an email, which proves the address and tells nobody else.

Who may sign in gets a sign-in link, who may not a link to the form. What the page says is the same.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID, uuid4

from prometheus_client import Counter
from sqlalchemy import ColumnElement, Row, delete, func, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.auth.domain.events import Event, LinkId
from services.auth.domain.link import LinkNotUsable
from services.auth.domain.link_token import ASKING, link_token, read_link_token
from services.auth.links import SEND_LINK
from services.auth.people import addressee_by_email, email_key
from services.auth.tables import asking_links
from shared.clock import LONDON, Clock
from shared.database.text import storable
from shared.email import Email, Mailer
from shared.event_store import EventStore
from shared.work_queue import Job, enqueue

SEND_ASKING_LINK: Final = "send_asking_link"
EMAIL_ASKING_LINK: Final = "email_asking_link"
_PART: Final = r"[^@\s,;:<>()\"\\\x00-\x1f\x7f\ufffd]"
ADDRESS: Final = re.compile(rf"{_PART}{{1,64}}@{_PART}+\.{_PART}{{2,}}")
"""One address and nothing else: here alone an email goes to what a stranger typed."""
LONGEST: Final = 254
ONE_AT_A_TIME: Final = text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))")

ASKING_LINKS = Counter("checkdata_asking_links_total", "Links to the form for access", ["outcome"])

BODY: Final = """\
Hello,

Somebody, probably you, wants to use Check data for delivery partners with this email address, which has no
access.

To ask for access, tell us who you are and which organisation you work for:

{url}

You can use this link once, until {until}. DfE then decides, and where there is one
the lead provider.

If you did not ask for this, you can ignore it: nothing happens without you.

Check data for delivery partners
"""


@dataclass(frozen=True, slots=True)
class AskingRules:
    """at_once: how many links to one address are good, or were used, at the same time."""

    lifetime: timedelta
    at_once: int
    public_url: str
    keys: Sequence[bytes]
    bits: int


class Asking:
    def __init__(self, store: EventStore[Event], clock: Clock, mailer: Mailer, rules: AskingRules) -> None:
        self._store = store
        self._clock = clock
        self._mailer = mailer
        self._rules = rules

    async def ask(self, email: str) -> None:
        """Somebody typed this address. The same work for every address: one row to be looked at later."""
        async with self._store.transaction() as transaction:
            transaction.wake_when_done()  # the workers
            await enqueue(transaction.connection, SEND_ASKING_LINK, str(uuid4()), {"email": storable(email)})

    async def send(self, job: Job) -> None:
        """A sign-in link for who may sign in; for others the link to the form, unless they have several."""
        email = job.data["email"].strip()
        async with self._store.transaction() as transaction:
            connection = transaction.connection
            transaction.wake_when_done()
            if await addressee_by_email(connection, email) is not None:
                await enqueue(connection, SEND_LINK, job.key, {"email": email, "return_to": None})
                return
            if len(email) > LONGEST or not ADDRESS.fullmatch(email) or await self._enough(connection, email):
                return
            link_id = uuid4()
            expires_at = self._clock() + self._rules.lifetime
            values = {"link_id": link_id, "email": email, "email_key": email_key(email)}
            await connection.execute(insert(asking_links).values(**values, expires_at=expires_at))
            await enqueue(connection, EMAIL_ASKING_LINK, str(link_id), {"link_id": str(link_id)})

    async def email(self, job: Job) -> None:
        async with self._store.engine.connect() as connection:
            row = await self._good(connection, LinkId(UUID(job.data["link_id"])))
        if row is None:
            return
        token = link_token(LinkId(row.link_id), self._rules.keys[0], ASKING, self._rules.bits)
        until = row.expires_at.astimezone(LONDON)
        body = BODY.format(
            url=f"{self._rules.public_url}/ask-for-access/form/{token}",
            until=f"{until:%-I:%M%p}".lower() + f" on {until:%-d %B %Y}",
        )
        subject = "Ask for access to Check data for delivery partners"
        await self._mailer.send(Email(row.email, subject, body, reference=f"asking-{row.link_id}"))
        ASKING_LINKS.labels("sent").inc()

    async def read(self, token: str) -> str:
        """The address to which the link was sent; nothing is used up. Raises LinkNotUsable."""
        async with self._store.engine.connect() as connection:
            row = await self._good(connection, self._proven(token))
        if row is None:
            raise LinkNotUsable
        return str(row.email)

    async def use(self, token: str) -> None:
        """What was asked for by it has arrived. Using it twice does nothing."""
        is_it = asking_links.c.link_id == self._proven(token)
        async with self._store.engine.begin() as connection:
            done = await connection.execute(
                update(asking_links)
                .where(is_it, asking_links.c.used_at.is_(None))
                .values(used_at=self._clock())
            )
        if done.rowcount:
            ASKING_LINKS.labels("used").inc()

    async def forget_old(self) -> None:
        async with self._store.engine.begin() as connection:
            await connection.execute(delete(asking_links).where(asking_links.c.expires_at <= self._clock()))

    async def _enough(self, connection: AsyncConnection, email: str) -> bool:
        """So that nobody can fill a stranger's mailbox."""
        key = email_key(email)
        await connection.execute(ONE_AT_A_TIME, {"key": key})
        sent = select(func.count()).where(asking_links.c.email_key == key, self._not_expired)
        return (await connection.scalar(sent) or 0) >= self._rules.at_once

    async def _good(self, connection: AsyncConnection, link_id: LinkId) -> Row[UUID, str, datetime] | None:
        query = select(asking_links.c.link_id, asking_links.c.email, asking_links.c.expires_at).where(
            asking_links.c.link_id == link_id, asking_links.c.used_at.is_(None), self._not_expired
        )
        return (await connection.execute(query)).one_or_none()

    @property
    def _not_expired(self) -> ColumnElement[bool]:
        return asking_links.c.expires_at > self._clock()

    def _proven(self, token: str) -> LinkId:
        link_id = read_link_token(token, self._rules.keys, ASKING, self._rules.bits)
        if link_id is None:
            raise LinkNotUsable
        return link_id

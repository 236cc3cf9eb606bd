"""Those who can answer in a review are asked to: one email each when a campaign opens, and one more, to those
for whom something waits still, before the answer is due.
"""

from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.access.domain.coverage import in_words
from services.access.domain.vocabulary import PersonId, Role
from services.access.queries.people import active_holders
from services.access.queries.reviews import lead_providers_of
from services.access.tables import grants, people, review_campaigns, reviews
from shared.clock import london_day
from shared.email import Email, Mailer
from shared.work_queue import GiveUp, Handler, Job, enqueue

REVIEW_EMAIL: Final = "review-email"
PAGES: Final = {
    Role.DELIVERY_PARTNER: "/access-requests/reviews",
    Role.APPROPRIATE_BODY: "/access-requests/reviews",
    Role.LEAD_PROVIDER: "/lead-provider/confirmations/reviews",
}
SUBJECT: Final = "Who still needs access to Check data?"
REMINDER_SUBJECT: Final = "Your answer is awaited: who still needs access to Check data?"
BODY: Final = """\
Hello {name},

We ask once a year who still needs access to Check data for delivery partners.

Sign in and say for each person whether they still need it, by {answer_by}:
{public_url}{page}

Access that nobody confirms by then is suspended.
"""


REMINDER: Final = """\
Hello {name},

You have not yet said of everybody whether they still need access to Check data for delivery partners.

Sign in and answer by {answer_by}:
{public_url}{page}

Access that nobody confirms by then is suspended.
"""


async def tell_reviewers(connection: AsyncConnection, campaign_id: UUID, *, again: bool = False) -> None:
    """Each organisation's users and its lead providers' contacts, about what waits still.

    In the transaction that opens the campaign. again: in that of the reminder, which nobody gets twice.
    """
    query = (
        select(grants.c.role, grants.c.organisation_id, review_campaigns.c.opened_at)
        .distinct()
        .select_from(reviews)
        .join(grants, grants.c.grant_id == reviews.c.grant_id)
        .join(review_campaigns, review_campaigns.c.campaign_id == reviews.c.campaign_id)
        .where(reviews.c.campaign_id == campaign_id, reviews.c.outcome == "open")
    )
    told: set[tuple[PersonId, Role]] = set()
    for row in (await connection.execute(query)).all():
        role = Role(row.role)
        told |= {(who, role) for who in await active_holders(connection, role, row.organisation_id)}
        if role is Role.DELIVERY_PARTNER:
            day = london_day(row.opened_at)
            for provider in await lead_providers_of(connection, row.organisation_id, day):
                contacts = await active_holders(connection, Role.LEAD_PROVIDER, provider)
                told |= {(who, Role.LEAD_PROVIDER) for who in contacts}
    for person_id, role in sorted(told):
        data = {"campaign_id": str(campaign_id), "person_id": str(person_id), "role": role.value}
        key = f"{campaign_id}:{person_id}:{role.value}" + (":again" if again else "")
        await enqueue(connection, REVIEW_EMAIL, key, data | ({"again": True} if again else {}))


class ReviewEmails:
    def __init__(self, engine: AsyncEngine, mailer: Mailer, public_url: str) -> None:
        self._engine = engine
        self._mailer = mailer
        self._public_url = public_url

    @property
    def handlers(self) -> dict[str, Handler]:
        return {REVIEW_EMAIL: self._send}

    async def _send(self, job: Job) -> None:
        campaign = review_campaigns.c.campaign_id == UUID(job.data["campaign_id"])
        query = (
            select(people.c.full_name, people.c.email, review_campaigns.c.answer_by)
            .join(review_campaigns, campaign)
            .where(people.c.person_id == UUID(job.data["person_id"]))
        )
        async with self._engine.connect() as connection:
            row = (await connection.execute(query)).first()
        if row is None:
            raise GiveUp("nobody is known who is to be asked")
        again = job.data.get("again", False)
        body = (REMINDER if again else BODY).format(
            name=row.full_name,
            answer_by=in_words(row.answer_by),
            public_url=self._public_url,
            page=PAGES[Role(job.data["role"])],
        )
        subject = REMINDER_SUBJECT if again else SUBJECT
        await self._mailer.send(Email(row.email, subject, body, f"review-{job.key}"))

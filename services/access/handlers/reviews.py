"""Review campaigns: opened by a person or once a month by itself, answered, and lapsed."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID, uuid4, uuid5

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.access.domain.deadlines import IsHoliday, nine_of, working_days_earlier, working_days_later
from services.access.domain.events import Event, GrantSuspended, ReviewAsked, ReviewCampaignOpened
from services.access.domain.grant_review import AnswerReview, AskReview, LetReviewLapse
from services.access.domain.grant_state import months_later
from services.access.domain.refusals import NothingThere, NothingToReview, NotYourStep, TooSoon
from services.access.domain.vocabulary import Actor, CampaignId, OrganisationId, Role
from services.access.handlers.deciding import GRANT, carry_out, deciding
from services.access.queries.reviews import lead_providers_of
from services.access.review_emails import tell_reviewers
from services.access.rows import apply
from services.access.tables import grants, review_campaigns
from services.access.workers import tell_suspended
from shared.clock import Clock, london_day
from shared.event_store import EventStore, Transaction
from shared.work_queue import Handler, Job, enqueue

REVIEW_DEADLINE: Final = "review-deadline"
REVIEW_REMINDER: Final = "review-reminder"
REMIND_BEFORE: Final = 5
"""Working days before the last day for an answer. With less time than that nobody is reminded."""
BY_MONTH: Final = UUID("0b0b6d55-5f6e-4a3e-9d1f-1d7a6a7f6c11")
"""Names the campaign of a month, so that it is opened once however many processes look."""


async def open_review(
    store: EventStore[Event],
    *,
    by: Actor,
    at: datetime,
    due_until: date,
    answer_by: date,
    is_holiday: IsHoliday,
) -> CampaignId:
    """Policy or an administrator asks about all access to be reviewed by a day.

    Raises NothingToReview, TooSoon, NotYourStep.
    """
    if by.role not in (Role.POLICY, Role.ADMINISTRATOR):
        raise NotYourStep
    if answer_by <= london_day(at):
        raise TooSoon
    campaign_id = CampaignId(uuid4())
    opened = ReviewCampaignOpened(campaign_id, due_until, answer_by, by.person_id, at)
    if not await _open(store, opened, is_holiday):
        raise NothingToReview
    return campaign_id


async def open_review_of_the_month(
    store: EventStore[Event], at: datetime, working_days: int, is_holiday: IsHoliday
) -> bool:
    """Ask, once a month, about what is to be reviewed by the end of the next. Returns whether it did."""
    today = london_day(at)
    campaign_id = CampaignId(uuid5(BY_MONTH, f"{today:%Y-%m}"))
    async with store.engine.connect() as connection:
        query = select(review_campaigns.c.campaign_id).where(review_campaigns.c.campaign_id == campaign_id)
        if await connection.scalar(query) is not None:
            return False
    due_until = months_later(today.replace(day=1), 2) - timedelta(days=1)
    answer_by = working_days_later(today, working_days, is_holiday)
    opened = ReviewCampaignOpened(campaign_id, due_until, answer_by, None, at)
    return await _open(store, opened, is_holiday)


async def _open(store: EventStore[Event], opened: ReviewCampaignOpened, is_holiday: IsHoliday) -> bool:
    """False, and nothing happens, when there is nothing to ask about or it is open already."""

    async def act(transaction: Transaction[Event]) -> bool:
        connection = transaction.connection
        stream = f"review-{opened.campaign_id}"
        if (await transaction.load(stream)).version:
            return False
        due = await _due(connection, opened.due_until)
        asked = 0
        actor = None if opened.by is None else str(opened.by)
        for grant_id in due:
            command = AskReview(opened.campaign_id, opened.answer_by, opened.at)
            recorded = await carry_out(transaction, GRANT, f"grant-{grant_id}", command, opened.by)
            for one in recorded:
                if isinstance(one.event, ReviewAsked):
                    asked += 1
                    await _set_deadline(connection, one.event)
        if not asked:
            return False
        await apply(connection, await transaction.append(stream, [opened], expected=0, actor=actor))
        await tell_reviewers(connection, opened.campaign_id)
        await _set_reminder(connection, opened, is_holiday)
        return True

    return await deciding(store, act)


async def _due(connection: AsyncConnection, due_until: date) -> Sequence[UUID]:
    query = (
        select(grants.c.grant_id)
        .where(grants.c.review_on <= due_until, grants.c.ended_at.is_(None), grants.c.suspended_at.is_(None))
        .order_by(grants.c.grant_id)
    )
    return (await connection.scalars(query)).all()


async def _set_deadline(connection: AsyncConnection, asked: ReviewAsked) -> None:
    """The morning after the last day."""
    data = {"grant_id": str(asked.grant_id), "campaign_id": str(asked.campaign_id)}
    due_at = nine_of(asked.answer_by + timedelta(days=1))
    await enqueue(connection, REVIEW_DEADLINE, f"{asked.campaign_id}:{asked.grant_id}", data, due_at=due_at)


async def _set_reminder(
    connection: AsyncConnection, opened: ReviewCampaignOpened, is_holiday: IsHoliday
) -> None:
    day = working_days_earlier(opened.answer_by, REMIND_BEFORE, is_holiday)
    if day > london_day(opened.at):
        campaign_id = str(opened.campaign_id)
        data = {"campaign_id": campaign_id}
        await enqueue(connection, REVIEW_REMINDER, campaign_id, data, due_at=nine_of(day))


async def answer_review(
    store: EventStore[Event], grant_id: UUID, *, needed: bool, by: Actor, at: datetime, words: str
) -> None:
    """A user of the organisation, or a contact of its lead provider, says whether access is still needed."""

    async def act(transaction: Transaction[Event]) -> None:
        connection = transaction.connection
        row = (await connection.execute(select(grants).where(grants.c.grant_id == grant_id))).first()
        if row is None:
            raise NothingThere
        providers: Sequence[OrganisationId] = ()
        if row.role == Role.DELIVERY_PARTNER.value:
            providers = await lead_providers_of(connection, row.organisation_id, london_day(at))
        command = AnswerReview(needed, by, at, words, providers, london_day(at))
        await carry_out(transaction, GRANT, f"grant-{grant_id}", command, by.person_id)

    await deciding(store, act)


class ReviewJobs:
    def __init__(self, store: EventStore[Event], clock: Clock) -> None:
        self._store = store
        self._clock = clock

    @property
    def handlers(self) -> dict[str, Handler]:
        return {REVIEW_DEADLINE: self._lapse, REVIEW_REMINDER: self._remind}

    async def _remind(self, job: Job) -> None:
        async with self._store.engine.begin() as connection:
            await tell_reviewers(connection, UUID(job.data["campaign_id"]), again=True)

    async def _lapse(self, job: Job) -> None:
        campaign_id = CampaignId(UUID(job.data["campaign_id"]))
        await let_review_lapse(self._store, UUID(job.data["grant_id"]), campaign_id, self._clock())


async def let_review_lapse(
    store: EventStore[Event], grant_id: UUID, campaign_id: CampaignId, at: datetime
) -> bool:
    """Suspend the grant when nobody answered. Returns whether it did."""

    async def act(transaction: Transaction[Event]) -> bool:
        command = LetReviewLapse(campaign_id, at)
        recorded = await carry_out(transaction, GRANT, f"grant-{grant_id}", command, by=None)
        suspended = any(isinstance(one.event, GrantSuspended) for one in recorded)
        if suspended:
            await tell_suspended(transaction.connection, grant_id, at)
        return suspended

    return await deciding(store, act)

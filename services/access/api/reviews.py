"""Reviews: who still needs access."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends

from services.access.api.desk import AtDesk, Reading, actor
from services.access.api.doors import Door
from services.access.bank_holidays import is_bank_holiday
from services.access.handlers.reviews import answer_review, open_review
from services.access.permissions import Action
from services.access.queries.reviews import list_review_items, list_reviews, told_review
from shared.contracts import access as told
from shared.web.caller import PersonCaller
from shared.web.problems import Problem

router = APIRouter(prefix="/reviews", tags=["reviews"])

Staff = Annotated[PersonCaller, Depends(Door(Action.SEE_REVIEWS))]
Opener = Annotated[PersonCaller, Depends(Door(Action.OPEN_REVIEW))]
Reviewer = Annotated[PersonCaller, Depends(Door(Action.ANSWER_REVIEW))]


@router.get("")
async def campaigns(_caller: Staff, connection: Reading) -> list[told.Review]:
    """Newest first, with the progress of each."""
    return await list_reviews(connection)


@router.post("", status_code=201)
async def open_campaign(desk: AtDesk, caller: Opener, body: told.OpenReview) -> told.Review:
    """409 `nothing-to-review`. One opens by itself each month for what is due by the end of the next."""
    campaign_id = await open_review(
        desk.store,
        by=actor(caller),
        at=desk.now(),
        due_until=body.due_until,
        answer_by=body.answer_by,
        is_holiday=is_bank_holiday,
    )
    async with desk.reading() as connection:
        return await told_review(connection, campaign_id)


@router.get("/mine")
async def mine(desk: AtDesk, caller: Reviewer, connection: Reading) -> list[told.ReviewItem]:
    """What waits for an answer of the caller's side; never the own access."""
    return await list_review_items(connection, actor(caller), desk.today())


@router.post("/grants/{grant_id}")
async def answer(
    desk: AtDesk, caller: Reviewer, grant_id: UUID, body: told.AnswerReview
) -> list[told.ReviewItem]:
    """Confirm that the access is needed, or end it. Returns what still waits."""
    if body.decision is told.Decision.RETURN:
        raise Problem(422, "not-returnable", "Say yes or no.")
    await answer_review(
        desk.store,
        grant_id,
        needed=body.decision is told.Decision.APPROVE,
        by=actor(caller),
        at=desk.now(),
        words=body.reason,
    )
    async with desk.reading() as connection:
        return await list_review_items(connection, actor(caller), desk.today())

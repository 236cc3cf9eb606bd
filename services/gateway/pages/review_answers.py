"""Users, and lead providers, say who still needs access."""

from typing import Final
from uuid import UUID

from fastapi import Request, Response

from services.gateway.backend import Refusal
from services.gateway.forms import LONGEST_REASON, Form
from services.gateway.language import N_, gettext
from services.gateway.pages.errors import cannot_be_done
from services.gateway.rendering import page, see_other
from services.gateway.visitor import Visitor
from shared.contracts.access import AnswerReview, Decision

NO_LONGER: Final = N_(
    "This access does not wait for your answer, or no longer: somebody may have been faster. "
    "Go to the review to see what waits."
)


async def show_items(request: Request, visitor: Visitor, path: str) -> Response:
    """path: of the page of the list."""
    return page(request, "reviews/list.html", items=await visitor.access.my_reviews(), path=path)


async def show_item(request: Request, visitor: Visitor, path: str, grant_id: UUID, form: Form) -> Response:
    items = await visitor.access.my_reviews()
    item = next((each for each in items if each.grant_id == grant_id), None)
    if item is None:
        return cannot_be_done(request, 409 if form.errors else 404, gettext(NO_LONGER))
    return page(request, "reviews/one.html", 400 if form.errors else 200, item=item, path=path, form=form)


async def answer_item(request: Request, visitor: Visitor, path: str, grant_id: UUID, form: Form) -> Response:
    decision = form.choice("decision", Decision, gettext("Select whether this person still needs access"))
    reason = form.text("reason", gettext("Enter how you know"), LONGEST_REASON)
    if form.errors or decision is None:
        return await show_item(request, visitor, path, grant_id, form)
    try:
        await visitor.access.answer_review(grant_id, AnswerReview(decision=decision, reason=reason))
    except Refusal as refusal:
        form.refused(refusal, ["decision", "reason"])
        return await show_item(request, visitor, path, grant_id, form)
    return see_other(path, done="review-confirmed" if decision is Decision.APPROVE else "review-ended")

"""Lead providers say whether a person is a valid user."""

from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response

from services.gateway.backend import Refusal
from services.gateway.forms import LONGEST_REASON, Form, Sent
from services.gateway.language import N_, gettext
from services.gateway.pages.errors import cannot_be_done
from services.gateway.pages.review_answers import answer_item, show_item, show_items
from services.gateway.pages.several import decide_several
from services.gateway.rendering import page, see_other
from services.gateway.visitor import Visitor, visiting
from shared.contracts.access import Decide, Decision, DeclineKind
from shared.contracts.roles import Role

router = APIRouter()

Contact = Annotated[Visitor, Depends(visiting(Role.LEAD_PROVIDER, calls="access"))]

PATH: Final = "/lead-provider/confirmations"
REVIEWS: Final = PATH + "/reviews"
NO_LONGER: Final = N_(
    "This request does not wait for your lead provider, or no longer: somebody may have been faster. "
    "Go to the confirmations to see what waits."
)


@router.get(PATH)
async def confirmations(request: Request, contact: Contact) -> Response:
    return page(request, "confirmations/list.html", waiting=await contact.access.confirmations())


@router.get(PATH + "/several")
async def several(request: Request, contact: Contact) -> Response:
    return await _several(request, contact, Form(), [])


@router.post(PATH + "/several")
async def confirm_several(request: Request, contact: Contact, form: Sent) -> Response:
    """One answer for several people at once."""
    names = {each.request_id: each.full_name for each in await contact.access.confirmations()}
    not_done = await decide_several(contact, form, "/confirmations", names)
    if not_done == []:
        return see_other(PATH, done="decided-several")
    return await _several(request, contact, form if not_done is None else Form(), not_done or [])


@router.get(REVIEWS)
async def reviews(request: Request, contact: Contact) -> Response:
    """Whose access waits for an answer."""
    return await show_items(request, contact, REVIEWS)


@router.get(REVIEWS + "/{grant_id}")
async def review(request: Request, contact: Contact, grant_id: UUID) -> Response:
    return await show_item(request, contact, REVIEWS, grant_id, Form())


@router.post(REVIEWS + "/{grant_id}")
async def answer_review(request: Request, contact: Contact, grant_id: UUID, form: Sent) -> Response:
    return await answer_item(request, contact, REVIEWS, grant_id, form)


@router.get(PATH + "/{request_id}")
async def one(request: Request, contact: Contact, request_id: UUID) -> Response:
    return await _one(request, contact, request_id, Form())


@router.post(PATH + "/{request_id}")
async def decide(request: Request, contact: Contact, request_id: UUID, form: Sent) -> Response:
    decision = form.choice("decision", Decision, gettext("Select whether you confirm this person"))
    reason = form.text("reason", gettext("Enter the reason for your answer"), LONGEST_REASON)
    if form.errors or decision is None:
        return await _one(request, contact, request_id, form)
    try:
        kind = form.chosen("decline_kind", DeclineKind) if decision is Decision.DECLINE else None
        body = Decide(decision=decision, reason=reason, decline_kind=kind)
        await contact.access.decide(request_id, "confirmation", body)
    except Refusal as refusal:
        form.refused(refusal, ["decision", "reason", "decline_kind"])
        return await _one(request, contact, request_id, form)
    return see_other(PATH, done="confirmed" if decision is Decision.APPROVE else "refused")


async def _several(request: Request, contact: Visitor, form: Form, not_done: list[str]) -> Response:
    waiting = await contact.access.confirmations()
    people = [
        {"value": str(each.request_id), "text": f"{each.full_name}, {each.email}, {each.organisation_name}"}
        for each in waiting
    ]
    status = 400 if form.errors else 200
    return page(request, "confirmations/several.html", status, people=people, form=form, not_done=not_done)


async def _one(request: Request, contact: Visitor, request_id: UUID, form: Form) -> Response:
    waiting = await contact.access.confirmations()
    asked = next((each for each in waiting if each.request_id == request_id), None)
    if asked is None:
        return cannot_be_done(request, 404 if not form.errors else 409, gettext(NO_LONGER))
    status = 400 if form.errors else 200
    return page(request, "confirmations/one.html", status, asked=asked, form=form, path=PATH)

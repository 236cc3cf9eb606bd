"""Delivery partners and appropriate bodies ask for access for a colleague."""

from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response

from services.gateway import content
from services.gateway.backend import Refusal
from services.gateway.forms import LONGEST_REASON, Form, Sent
from services.gateway.language import N_, gettext
from services.gateway.pages.errors import not_found
from services.gateway.pages.request_queue import queue
from services.gateway.pages.review_answers import answer_item, show_item, show_items
from services.gateway.rendering import page, see_other
from services.gateway.visitor import Visitor, visiting
from shared.contracts.access import SubmitRequest

router = APIRouter()

User = Annotated[Visitor, Depends(visiting(*content.USERS, calls="access"))]

PATH: Final = "/access-requests"
REVIEWS: Final = PATH + "/reviews"
FIELDS: Final = ("full_name", "email", "reason")
WHAT_INFORMATION: Final = N_("Enter the information that was asked for")
WHY_WITHDRAW: Final = N_("Enter why you withdraw the request")


@router.get(PATH)
async def requests(request: Request, user: User) -> Response:
    return page(request, "access_requests/list.html", **await queue(request, user, PATH))


@router.get(PATH + "/new")
async def new(request: Request, user: User) -> Response:
    return _form(request, Form())


@router.post(PATH + "/new")
async def nominate(request: Request, user: User, form: Sent) -> Response:
    """For the own organisation, in the role of the session: nothing else can be asked for."""
    organisation_id = user.choice.organisation_id
    full_name = form.text("full_name", gettext("Enter your colleague’s full name"))
    email = form.email("email", gettext("Enter your colleague’s email address"))
    reason = form.text("reason", gettext("Enter why your colleague needs access"), LONGEST_REASON)
    if form.errors or organisation_id is None:
        return _form(request, form)
    body = SubmitRequest(
        full_name=full_name,
        email=email,
        role=user.role,
        organisation_id=organisation_id,
        reason=reason,
    )
    try:
        made = await user.access.submit(body)
    except Refusal as refusal:
        form.refused(refusal, FIELDS)
        return _form(request, form)
    return see_other(f"{PATH}/{made.request_id}", done="request-made")


@router.get(PATH + "/colleagues")
async def colleagues(request: Request, user: User) -> Response:
    found = await user.access.colleagues()
    return page(request, "access_requests/colleagues.html", colleagues=found)


@router.get(PATH + "/colleagues/{grant_id}/left")
async def ask_who_left(request: Request, user: User, grant_id: UUID) -> Response:
    return await _left_form(request, user, grant_id, Form())


@router.post(PATH + "/colleagues/{grant_id}/left")
async def left(request: Request, user: User, grant_id: UUID, form: Sent) -> Response:
    reason = form.text("reason", gettext("Enter when and why their work with us ended"), LONGEST_REASON)
    if not form.errors:
        try:
            await user.access.left(grant_id, reason)
        except Refusal as refusal:
            form.refused(refusal, ["reason"])
        else:
            return see_other(f"{PATH}/colleagues", done="colleague-left")
    return await _left_form(request, user, grant_id, form)


@router.get(REVIEWS)
async def reviews(request: Request, user: User) -> Response:
    """Whose access waits for an answer."""
    return await show_items(request, user, REVIEWS)


@router.get(REVIEWS + "/{grant_id}")
async def review(request: Request, user: User, grant_id: UUID) -> Response:
    return await show_item(request, user, REVIEWS, grant_id, Form())


@router.post(REVIEWS + "/{grant_id}")
async def answer_review(request: Request, user: User, grant_id: UUID, form: Sent) -> Response:
    return await answer_item(request, user, REVIEWS, grant_id, form)


@router.get(PATH + "/{request_id}")
async def one(request: Request, user: User, request_id: UUID) -> Response:
    return await _one(request, user, request_id, Form())


@router.post(PATH + "/{request_id}/information")
async def inform(request: Request, user: User, request_id: UUID, form: Sent) -> Response:
    """What support or policy asked for: the request goes on."""
    information = form.text("information", gettext(WHAT_INFORMATION), LONGEST_REASON)
    if not form.errors:
        try:
            await user.access.inform(request_id, information)
        except Refusal as refusal:
            form.refused(refusal, ["information"])
        else:
            return see_other(f"{PATH}/{request_id}", done="information-given")
    return await _one(request, user, request_id, form)


@router.post(PATH + "/{request_id}/withdraw")
async def withdraw(request: Request, user: User, request_id: UUID, form: Sent) -> Response:
    reason = form.text("withdraw_reason", gettext(WHY_WITHDRAW), LONGEST_REASON)
    if not form.errors:
        try:
            await user.access.withdraw(request_id, reason)
        except Refusal as refusal:
            form.refused(refusal, ["withdraw_reason"])
        else:
            return see_other(f"{PATH}/{request_id}", done="request-withdrawn")
    return await _one(request, user, request_id, form)


def _form(request: Request, form: Form) -> Response:
    return page(request, "access_requests/new.html", 400 if form.errors else 200, form=form)


async def _left_form(request: Request, user: Visitor, grant_id: UUID, form: Form) -> Response:
    found = await user.access.colleagues()
    colleague = next((each for each in found if each.grant_id == grant_id and not each.is_you), None)
    if colleague is None:
        return not_found(request)
    status = 400 if form.errors else 200
    return page(request, "access_requests/left.html", status, form=form, colleague=colleague)


async def _one(request: Request, user: Visitor, request_id: UUID, form: Form) -> Response:
    found = await user.access.request(request_id)
    status = 400 if form.errors else 200
    return page(request, "access_requests/one.html", status, asked=found, form=form, path=PATH)

"""Reviews: opened, and how far each is."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request, Response

from services.gateway import content
from services.gateway.backend import Refusal
from services.gateway.forms import Form, Sent
from services.gateway.language import gettext
from services.gateway.rendering import page, see_other
from services.gateway.visitor import Visitor, visiting
from shared.contracts.access import OpenReview
from shared.contracts.roles import Role

router = APIRouter()

Staff = Annotated[Visitor, Depends(visiting(*content.STAFF, calls="access"))]
Opener = Annotated[Visitor, Depends(visiting(Role.POLICY, Role.ADMINISTRATOR, calls="access"))]

PATH: Final = "/staff/people/reviews"


@router.get(PATH)
async def reviews(request: Request, staff: Staff) -> Response:
    return page(
        request,
        "staff_reviews/list.html",
        reviews=await staff.access.reviews(),
        may_open=staff.role in (Role.POLICY, Role.ADMINISTRATOR),
    )


@router.get(PATH + "/new")
async def new(request: Request, _opener: Opener) -> Response:
    return page(request, "staff_reviews/new.html", form=Form())


@router.post(PATH + "/new")
async def open_review(request: Request, opener: Opener, form: Sent) -> Response:
    due_until = form.day(
        "due_until",
        gettext("Enter the last review date that is asked about"),
        gettext("The last review date that is asked about"),
    )
    answer_by = form.day(
        "answer_by", gettext("Enter the last day to answer"), gettext("The last day to answer")
    )
    if due_until is not None and answer_by is not None:
        try:
            await opener.access.open_review(OpenReview(due_until=due_until, answer_by=answer_by))
        except Refusal as refusal:
            form.refused(refusal, ["due_until", "answer_by"])
        else:
            return see_other(PATH, done="review-opened")
    return page(request, "staff_reviews/new.html", 400, form=form)

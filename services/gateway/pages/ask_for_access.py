"""Somebody without access asks for it: first for a link, which proves the address, then on a form.

Until the link is followed every address is told the same. On the form people learn about themselves only.
"""

from typing import Final

from fastapi import APIRouter, Request, Response

from services.gateway.backend import Refusal
from services.gateway.backends import Applicants, backends_of
from services.gateway.forms import LONGEST_REASON, Form, Sent
from services.gateway.language import gettext
from services.gateway.network import network_address
from services.gateway.pages.sign_in import LONGEST_TOKEN
from services.gateway.pages.staff_requests import chosen_organisation, offered
from services.gateway.rendering import page, see_other
from services.gateway.session import cookies_of
from shared.contracts.access import AskForOneself
from shared.contracts.manage_ects import OrganisationKind

router = APIRouter()

PATH: Final = "/ask-for-access"
FIELDS: Final = ("full_name", "organisation", "reason")
OPEN_TO: Final = (OrganisationKind.DELIVERY_PARTNER, OrganisationKind.APPROPRIATE_BODY)


@router.get(PATH)
async def ask(request: Request) -> Response:
    return page(request, "ask_for_access/ask.html", form=Form())


@router.post(PATH)
async def send_link(request: Request, form: Sent) -> Response:
    """What follows is the same for every address."""
    email = form.email("email", gettext("Enter your work email address"))
    refusal = None
    if not form.errors:
        device = cookies_of(request).device_of(request)
        try:
            await backends_of(request).auth.ask_for_access(email, network_address(request), device)
        except Refusal as too_often:
            refusal = too_often
            form.refused(refusal, ["email"])
        else:
            return see_other(f"{PATH}/check-your-email")
    status = 429 if refusal is not None and refusal.status == 429 else 400
    response = page(request, "ask_for_access/ask.html", status, form=form)
    if refusal is not None and refusal.retry_after:
        response.headers["retry-after"] = refusal.retry_after
    return response


@router.get(PATH + "/check-your-email")
async def check_your_email(request: Request) -> Response:
    return page(request, "ask_for_access/check_your_email.html")


@router.get(PATH + "/sent")
async def sent(request: Request) -> Response:
    return page(request, "ask_for_access/sent.html")


@router.get(PATH + "/form/{token}")
async def show_form(request: Request, token: str) -> Response:
    """Uses nothing up: programs that scan emails open links, too."""
    try:
        return await _form(request, await _address(request, token), Form())
    except _NotUsable:
        return _not_usable(request)


@router.post(PATH + "/form/{token}")
async def take_in(request: Request, token: str, form: Sent) -> Response:
    try:
        email = await _address(request, token)
    except _NotUsable:
        return _not_usable(request)
    full_name = form.text("full_name", gettext("Enter your full name"))
    reason = form.text("reason", gettext("Enter why you need access"), LONGEST_REASON)
    chosen = chosen_organisation(form, gettext("Select your organisation"))
    if form.errors or chosen is None:
        return await _form(request, email, form)
    role, organisation_id = chosen
    body = AskForOneself(
        full_name=full_name, email=email, role=role, organisation_id=organisation_id, reason=reason
    )
    backends = backends_of(request)
    try:
        await Applicants(backends.access).ask(body)
    except Refusal as refusal:
        form.refused(refusal, FIELDS)
        return await _form(request, email, form)
    await backends.auth.use_asking_link(token)
    return see_other(f"{PATH}/sent")


class _NotUsable(Exception):
    """The link is used, old or false."""


async def _address(request: Request, token: str) -> str:
    if len(token) > LONGEST_TOKEN:
        raise _NotUsable
    try:
        return await backends_of(request).auth.asking_link(token)
    except Refusal as refusal:
        if refusal.status not in (410, 422):
            raise
        raise _NotUsable from None


def _not_usable(request: Request) -> Response:
    return page(request, "ask_for_access/link_not_usable.html", 410)


async def _form(request: Request, email: str, form: Form) -> Response:
    everybody = await Applicants(backends_of(request).access).organisations()
    return page(
        request,
        "ask_for_access/form.html",
        400 if form.errors else 200,
        form=form,
        email=email,
        organisations=[offered(o) for o in everybody if o.kind in OPEN_TO],
    )

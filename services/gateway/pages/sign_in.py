"""Sign in by a link in an email, and sign out."""

from datetime import UTC, datetime, timedelta
from typing import Final

from fastapi import APIRouter, Request, Response

from services.gateway.backend import Refusal
from services.gateway.backends import backends_of
from services.gateway.browser_words import browser_in_words
from services.gateway.forms import Form, Sent
from services.gateway.language import gettext
from services.gateway.network import network_address
from services.gateway.rendering import page, see_other
from services.gateway.return_to import local_path, with_return_to
from services.gateway.session import cookies_of
from services.gateway.visitor import HOME, NotSignedIn, present_visitor
from shared.clock import system_clock
from shared.contracts.auth import SessionOpened

router = APIRouter()

LONGEST_LIFETIME: Final = timedelta(hours=1)
LONGEST_MOMENT: Final = 11
"""Digits of seconds since 1970."""


@router.get("/sign-in")
async def ask(request: Request) -> Response:
    """The form, or for those who are signed in already the page that they wanted."""
    return_to = local_path(request.query_params.get("return_to"))
    try:
        visitor = await present_visitor(request, [])
    except NotSignedIn:
        return _form(request, Form(), return_to)
    return see_other(return_to or HOME[visitor.role])


@router.post("/sign-in")
async def send_link(request: Request, form: Sent) -> Response:
    """Ask auth for a link. What follows is the same for every address."""
    return_to = local_path(form.values.get("return_to"))
    email = form.email("email", gettext("Enter your email address"))
    if form.errors:
        return _form(request, form, return_to)
    try:
        lifetime = await backends_of(request).auth.ask_for_link(
            email, return_to, network_address(request), cookies_of(request).device_of(request)
        )
    except Refusal as refusal:
        form.tell(refusal, ["email"])
        return _form(request, form, return_to, refusal)
    until = (system_clock() + timedelta(minutes=lifetime.minutes)).replace(second=0)
    return see_other(f"/sign-in/check-your-email?until={int(until.timestamp())}")


@router.get("/sign-in/check-your-email")
async def check_your_email(request: Request) -> Response:
    until = _soon(request.query_params.get("until", ""))
    return page(request, "sign_in/check_your_email.html", until=until)


def _soon(seconds: str) -> datetime | None:
    """A moment at which a link may end. None for what is over, too far away, or no number."""
    if not (seconds.isascii() and seconds.isdigit() and len(seconds) <= LONGEST_MOMENT):
        return None
    now, moment = system_clock(), datetime.fromtimestamp(int(seconds), UTC)
    return moment if now < moment <= now + LONGEST_LIFETIME else None


LONGEST_TOKEN = 200
"""No link of ours is as long."""


@router.get("/sign-in/link/{token}")
async def show_button(request: Request, token: str) -> Response:
    """Uses nothing up and asks nobody: programs that scan emails open links, too."""
    return page(request, "sign_in/link.html")


@router.post("/sign-in/link/{token}")
async def redeem(request: Request, token: str) -> Response:
    auth, cookies = backends_of(request).auth, cookies_of(request)
    if len(token) > LONGEST_TOKEN:
        return page(request, "sign_in/link_not_usable.html", 410)
    try:
        browser = browser_in_words(request.headers.get("user-agent", ""))
        opened = await auth.redeem(token, cookies.device_of(request), browser)
        device = opened.device
        if opened.chosen is None and len(opened.choices) == 1 and not opened.second_factor_missing:
            opened = (await auth.choose(opened.session, opened.choices[0].grant_id)).model_copy(
                update={"return_to": opened.return_to}
            )
    except Refusal as refusal:
        if refusal.status not in (410, 422):
            raise
        return page(request, "sign_in/link_not_usable.html", 410)
    response = see_other(_after_sign_in(opened))
    cookies.keep_session(response, opened.session)
    if device:
        cookies.keep_device(response, device)
    return response


@router.get("/sign-out")
async def ask_to_sign_out(request: Request) -> Response:
    return page(request, "sign_in/sign_out.html")


@router.post("/sign-out")
async def sign_out(request: Request) -> Response:
    cookies = cookies_of(request)
    session = cookies.session_of(request)
    if session is not None:
        await backends_of(request).auth.end(session)
    response = see_other("/", done="signed-out")
    cookies.forget_session(response)
    return response


def _after_sign_in(opened: SessionOpened) -> str:
    return_to = local_path(opened.return_to)
    if opened.second_factor_missing:
        return with_return_to("/sign-in/second-factor", return_to)
    if opened.chosen is None:
        return with_return_to("/choose-role", return_to)
    return return_to or HOME[opened.chosen.role]


def _form(request: Request, form: Form, return_to: str | None, refusal: Refusal | None = None) -> Response:
    too_often = refusal is not None and refusal.status == 429
    status = 429 if too_often else 400 if form.errors else 200
    response = page(request, "sign_in/ask.html", status, form=form, return_to=return_to or "")
    if refusal is not None and refusal.retry_after:
        response.headers["retry-after"] = refusal.retry_after
    return response

"""Staff give a code of their authenticator app after the link; at the first time they set it up."""

from typing import Final

import segno
from fastapi import APIRouter, Request, Response
from markupsafe import Markup

from services.gateway.backend import Refusal
from services.gateway.backends import backends_of
from services.gateway.forms import Form, Sent, refusal_in_words
from services.gateway.language import gettext
from services.gateway.rendering import page, see_other
from services.gateway.return_to import local_path, with_return_to
from services.gateway.session import cookies_of
from services.gateway.settings import GatewaySettings
from services.gateway.visitor import HOME, NotSignedIn
from shared.contracts.auth import SessionOpened

router = APIRouter()

PATH: Final = "/sign-in/second-factor"
LONGEST_CODE: Final = 20


@router.get(PATH)
async def ask(request: Request) -> Response:
    return_to = local_path(request.query_params.get("return_to"))
    session = _session(request)
    try:
        in_force = await backends_of(request).auth.exchange(session, [])
    except Refusal as refusal:
        raise _over(refusal) from None
    if not in_force.second_factor_missing:
        return see_other(return_to or (HOME[in_force.chosen.role] if in_force.chosen else "/choose-role"))
    return await _form(request, session, Form(), return_to)


@router.post(PATH)
async def check(request: Request, form: Sent) -> Response:
    return_to = local_path(form.values.get("return_to"))
    session = _session(request)
    code = form.text("code", gettext("Enter the code that your authenticator app shows"), LONGEST_CODE)
    if form.errors:
        return await _form(request, session, form, return_to)
    try:
        opened = await backends_of(request).auth.check_code(session, code)
    except Refusal as refusal:
        if refusal.status not in (403, 429):
            raise _over(refusal) from None
        form.errors["code"] = refusal_in_words(refusal)
        return await _form(request, session, form, return_to, refusal)
    response = see_other(_after(opened, return_to or local_path(opened.return_to)))
    cookies_of(request).keep_session(response, opened.session)
    return response


def qr_code(text: str) -> Markup:
    """As SVG with attributes only: the CSP allows no styles in a page."""
    return Markup(segno.make(text, error="m").svg_inline(scale=5, border=4, svgclass=None, lineclass=None))  # noqa: S704 - made here of squares


def _session(request: Request) -> str:
    session = cookies_of(request).session_of(request)
    if session is None:
        raise NotSignedIn
    return session


def _over(refusal: Refusal) -> Exception:
    return NotSignedIn() if refusal.status == 401 else refusal


def _after(opened: SessionOpened, return_to: str | None) -> str:
    if opened.chosen is None:
        return with_return_to("/choose-role", return_to)
    return return_to or HOME[opened.chosen.role]


async def _form(
    request: Request, session: str, form: Form, return_to: str | None, refusal: Refusal | None = None
) -> Response:
    try:
        step = await backends_of(request).auth.second_factor(session)
    except Refusal as over:  # the last of too many wrong codes ended it
        raise _over(over) from None
    settings: GatewaySettings = request.app.state.settings
    status = refusal.status if refusal else 400 if form.errors else 200
    form.values = {name: value for name, value in form.values.items() if name != "code"}
    response = page(
        request,
        "sign_in/second_factor.html",
        400 if status == 403 else status,
        form=form,
        return_to=return_to or "",
        secret=step.secret,
        qr=qr_code(step.uri) if step.uri else None,
        development=settings.development,
    )
    if refusal is not None and refusal.retry_after:
        response.headers["retry-after"] = refusal.retry_after
    return response

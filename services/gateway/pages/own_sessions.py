"""Where one is signed in, and the end of it; and the warning before a session ends by itself."""

from contextlib import suppress
from typing import Final
from uuid import UUID

from fastapi import APIRouter, Path, Request, Response

from services.gateway.backend import Refusal
from services.gateway.backends import backends_of
from services.gateway.forms import Form, Sent
from services.gateway.language import gettext
from services.gateway.rendering import page, see_other
from services.gateway.session import cookies_of
from services.gateway.visitor import NotSignedIn, RoleNotChosen, present_visitor
from services.gateway.warning import LONGEST_MINUTES, warning_stylesheet

router = APIRouter()

PATH: Final = "/your-sessions"


@router.get(PATH)
async def own_sessions(request: Request) -> Response:
    return await _list(request, Form())


@router.post(PATH + "/end")
async def end_one(request: Request, form: Sent) -> Response:
    session = _session(request)
    session_id = form.identity("session_id", gettext("Select the session again: it is no longer in the list"))
    if session_id is None:
        return await _list(request, form)
    await _end(request, session, session_id)
    return see_other(PATH, done="session-ended")


@router.post(PATH + "/end-all")
async def end_all(request: Request) -> Response:
    await _end(request, _session(request), None)
    response = see_other("/", done="signed-out-everywhere")
    cookies_of(request).forget_session(response)
    return response


@router.get("/session-goes-on")
async def go_on(request: Request) -> Response:
    """A use of the session: then it goes on. Opened beside a page on which a form is half filled in."""
    await present_visitor(request, [])
    return page(request, "sign_in/goes_on.html")


@router.get("/session-warning/{minutes}.css")
async def warning(minutes: int = Path(ge=0, le=LONGEST_MINUTES)) -> Response:
    """Shows the warning that a page holds after so many minutes. The same for everybody."""
    headers = {"cache-control": "public, max-age=31536000, immutable"}
    return Response(warning_stylesheet(minutes), media_type="text/css", headers=headers)


def _session(request: Request) -> str:
    session = cookies_of(request).session_of(request)
    if session is None:
        raise NotSignedIn
    return session


async def _end(request: Request, session: str, session_id: UUID | None) -> None:
    try:
        await backends_of(request).auth.end_own(session, session_id)
    except Refusal as refusal:
        if refusal.status == 401:
            raise NotSignedIn from None
        raise


async def _list(request: Request, form: Form) -> Response:
    session = _session(request)
    with suppress(RoleNotChosen):  # the list does not depend on it
        await present_visitor(request, [])
    try:
        found = await backends_of(request).auth.own_sessions(session)
    except Refusal as refusal:
        if refusal.status == 401:
            raise NotSignedIn from None
        raise
    return page(request, "sign_in/your_sessions.html", 400 if form.errors else 200, form=form, found=found)

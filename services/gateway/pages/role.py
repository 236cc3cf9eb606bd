"""Which role, of which organisation, the session is for."""

from uuid import UUID

from fastapi import APIRouter, Request, Response

from services.gateway.backend import Refusal
from services.gateway.backends import backends_of
from services.gateway.forms import Form, Sent
from services.gateway.language import N_, gettext
from services.gateway.rendering import page, see_other
from services.gateway.return_to import local_path
from services.gateway.session import cookies_of
from services.gateway.visitor import HOME, NotSignedIn, RoleNotChosen, present_visitor
from shared.contracts.auth import SessionChoices

router = APIRouter()

WHICH = N_("Select the role that you want to use")


@router.get("/choose-role")
async def ask(request: Request) -> Response:
    """The choices. The only one there is, is made without asking."""
    session, found = await _choices(request)
    return_to = local_path(request.query_params.get("return_to"))
    if len(found.choices) == 1 and found.chosen is None:
        return await _choose(request, session, found.choices[0].grant_id, return_to)
    return await _form(request, Form(), found, return_to)


@router.post("/choose-role")
async def choose(request: Request, form: Sent) -> Response:
    session, found = await _choices(request)
    return_to = local_path(form.values.get("return_to"))
    grant_id = form.identity("grant_id", gettext(WHICH))
    if grant_id is None or all(choice.grant_id != grant_id for choice in found.choices):
        form.errors["grant_id"] = gettext(WHICH)
        return await _form(request, form, found, return_to)
    return await _choose(request, session, grant_id, return_to)


async def _choices(request: Request) -> tuple[str, SessionChoices]:
    session = cookies_of(request).session_of(request)
    if session is None:
        raise NotSignedIn
    return session, await backends_of(request).auth.choices(session)


async def _choose(request: Request, session: str, grant_id: UUID, return_to: str | None) -> Response:
    opened = await backends_of(request).auth.choose(session, grant_id)
    response = see_other(return_to or (HOME[opened.chosen.role] if opened.chosen else "/choose-role"))
    cookies_of(request).keep_session(response, opened.session)
    return response


async def _form(request: Request, form: Form, found: SessionChoices, return_to: str | None) -> Response:
    if found.chosen is not None:
        await _show_present_role(request)
    return page(
        request,
        "sign_in/choose_role.html",
        400 if form.errors else 200,
        form=form,
        choices=found.choices,
        chosen=found.chosen,
        return_to=return_to or "",
    )


async def _show_present_role(request: Request) -> None:
    """In the header. The role may have ended this moment: then there is none to show."""
    try:
        await present_visitor(request, [])
    except RoleNotChosen:
        return
    except Refusal:
        raise NotSignedIn from None

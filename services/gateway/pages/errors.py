"""Everything that can go wrong, as a page that says what to do next. None shows what the machine thinks."""

from collections.abc import Mapping
from typing import Final

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from services.gateway import content
from services.gateway.backend import BackendDown, Refusal
from services.gateway.forms import Forged
from services.gateway.language import gettext, told
from services.gateway.rendering import page, see_other
from services.gateway.return_to import present_path, with_return_to
from services.gateway.session import cookies_of
from services.gateway.visitor import NotSignedIn, RoleNotChosen, SecondFactorMissing, WrongRole
from shared.web.problems import Problem
from shared.web.tokens import ENDED

log = structlog.get_logger(__name__)

RETRY_AFTER_SECONDS: Final = "30"
IN_THE_PATH: Final = "path"
OVER: Final = frozenset({"session-not-valid", ENDED})
"""What a service says to a session that is over, or ended while the page was made."""


def not_found(request: Request, status: int = 404) -> Response:
    return page(request, "errors/not_found.html", status)


def cannot_see(request: Request) -> Response:
    return page(request, "errors/cannot_see.html", 403)


def out_of_service(request: Request, backend: str | None = None) -> Response:
    """backend: the service that does not answer, if it is known: the page says what cannot be used."""
    response = page(request, "errors/unavailable.html", 503, part=content.PARTS.get(backend or ""))
    response.headers["retry-after"] = RETRY_AFTER_SECONDS
    return response


def cannot_be_done(request: Request, status: int, detail: str) -> Response:
    return page(request, "errors/cannot_be_done.html", status, detail=told(detail))


def sign_in_first(request: Request) -> Response:
    """There is no session, or it is over."""
    response = see_other(with_return_to("/sign-in", present_path(request)))
    cookies = cookies_of(request)
    if cookies.session in request.cookies:
        cookies.forget_session(response)
    return response


def answer_with_pages(app: FastAPI, headers: Mapping[str, str]) -> None:
    """Install the handlers. headers: for the answer to a bug, which no middleware of ours sees."""

    @app.exception_handler(NotSignedIn)
    async def _not_signed_in(request: Request, _: NotSignedIn) -> Response:
        return sign_in_first(request)

    @app.exception_handler(SecondFactorMissing)
    async def _second_factor_missing(request: Request, _: SecondFactorMissing) -> Response:
        return see_other(with_return_to("/sign-in/second-factor", present_path(request)))

    @app.exception_handler(RoleNotChosen)
    async def _role_not_chosen(request: Request, _: RoleNotChosen) -> Response:
        return see_other(with_return_to("/choose-role", present_path(request)))

    @app.exception_handler(WrongRole)
    async def _wrong_role(request: Request, _: WrongRole) -> Response:
        return cannot_see(request)

    @app.exception_handler(Forged)
    async def _forged(request: Request, _: Forged) -> Response:
        return page(request, "errors/forged.html", 403)

    @app.exception_handler(BackendDown)
    async def _backend_down(request: Request, down: BackendDown) -> Response:
        return out_of_service(request, down.backend)

    @app.exception_handler(Refusal)
    async def _refusal(request: Request, refusal: Refusal) -> Response:
        if refusal.code in OVER:
            return sign_in_first(request)
        if refusal.code == "second-factor-needed":
            return see_other(with_return_to("/sign-in/second-factor", present_path(request)))
        match refusal.status:
            case 401:
                # The token was made a moment ago: the services do not agree on keys or clocks.
                log.error("token_refused", code=refusal.code)
                return out_of_service(request)
            case 403:
                return cannot_see(request)
            case 404:
                return not_found(request)
            case status:
                return cannot_be_done(request, status, refusal.detail)

    @app.exception_handler(Problem)
    async def _problem(request: Request, problem: Problem) -> Response:
        return cannot_be_done(request, problem.status, problem.detail)

    @app.exception_handler(RequestValidationError)
    async def _not_understood(request: Request, error: RequestValidationError) -> Response:
        if any(e["loc"][0] == IN_THE_PATH for e in error.errors()):
            return not_found(request)
        return cannot_be_done(request, 400, gettext("The address of the page is not complete. Check it."))

    @app.exception_handler(HTTPException)
    async def _http(request: Request, error: HTTPException) -> Response:
        if error.status_code in (404, 405):
            response = not_found(request, error.status_code)
            response.headers.update(error.headers or {})
            return response
        detail = gettext("The form could not be read. Go back, load the page again, and send it once more.")
        return cannot_be_done(request, error.status_code, detail)

    @app.exception_handler(Exception)
    async def _bug(request: Request, error: Exception) -> Response:
        log.error("request_failed", error=type(error).__name__, exc_info=error)
        response = page(request, "errors/problem.html", 500)
        response.headers.update(headers)
        return response

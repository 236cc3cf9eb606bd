"""Errors as problem documents (RFC 9457), made in one place."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from shared.database.errors import is_passing

log = structlog.get_logger(__name__)


class Problem(Exception):
    """An answer that says no.

    code: a stable word for programs (`four-eyes`), the last part of the problem's `type`.
    detail: a sentence for people, which says what to do next. It names no person.
    """

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        errors: Sequence[dict[str, str]] = (),
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(f"{status} {code}")
        self.status = status
        self.code = code
        self.detail = detail
        self.errors = list(errors)
        self.headers = headers

    def response(self) -> JSONResponse:
        body: dict[str, Any] = {
            "type": f"urn:check-data:problem:{self.code}",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
        }
        if self.errors:
            body["errors"] = self.errors
        return JSONResponse(body, self.status, self.headers, media_type="application/problem+json")


def not_found(detail: str = "There is nothing here that you can see.") -> Problem:
    return Problem(404, "not-found", detail)


def answer_problems(app: FastAPI) -> None:
    """Install the handlers: every error leaves as a problem document, and none with a stack trace."""

    @app.exception_handler(Problem)
    async def _problem(_request: Request, problem: Problem) -> JSONResponse:
        return problem.response()

    @app.exception_handler(RequestValidationError)
    async def _invalid(_request: Request, error: RequestValidationError) -> JSONResponse:
        # The input is not repeated: it may be personal data.
        errors = [
            {"field": ".".join(str(part) for part in e["loc"][1:]), "message": str(e["msg"])}
            for e in error.errors()
        ]
        return Problem(422, "not-understood", "Some of what was sent is not understood.", errors).response()

    @app.exception_handler(HTTPException)
    async def _http(_request: Request, error: HTTPException) -> JSONResponse:
        code = HTTPStatus(error.status_code).phrase.lower().replace(" ", "-")
        headers = dict(error.headers) if error.headers else None
        return Problem(error.status_code, code, str(error.detail), headers=headers).response()

    @app.exception_handler(Exception)
    async def _bug(_request: Request, error: Exception) -> JSONResponse:
        log.error("request_failed", error=type(error).__name__, exc_info=error)
        if is_passing(error):
            problem = "The service cannot reach what it needs at the moment. Try again in a few seconds."
            return Problem(503, "away", problem, headers={"Retry-After": "5"}).response()
        return Problem(500, "internal-error", "Something went wrong here. Try again later.").response()

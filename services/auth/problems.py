"""How a refusal of the domain is told."""

from collections.abc import Callable, Mapping
from math import ceil
from typing import Any, Final

from services.auth.domain.link import LinkNotUsable
from services.auth.domain.second_factor import AlreadyEnrolled, NothingToReset, NotYourself
from services.auth.domain.session import SessionOver
from services.auth.domain.signing_out import ForAdministrators, NotSignedIn
from services.auth.limits import TooManyRequests
from services.auth.second_factors import CodeNotRight, TooManyCodes
from services.auth.sessions import NotGranted, SecondFactorMissing
from shared.web.problems import Problem


def _too_many_links(error: TooManyRequests) -> Problem:
    return _too_many("Too many sign-in links were asked for.", error.seconds)


def _too_many_codes(error: TooManyCodes) -> Problem:
    return _too_many("Too many wrong codes were entered.", error.seconds)


def _too_many(what: str, seconds: int) -> Problem:
    detail = f"{what} Try again in {in_words(seconds)}."
    return Problem(429, "too-many-requests", detail, headers={"retry-after": str(seconds)})


def _said(status: int, code: str, detail: str) -> Callable[[Exception], Problem]:
    return lambda _: Problem(status, code, detail)


PROBLEMS: Final[Mapping[type[Exception], Callable[[Any], Problem]]] = {
    LinkNotUsable: _said(410, "link-not-usable", "This link cannot be used. Ask for a new one."),
    SessionOver: _said(401, "session-not-valid", "The session is over. Sign in again."),
    NotGranted: _said(403, "grant-not-held", "That role is not, or no longer, held."),
    SecondFactorMissing: _said(
        403, "second-factor-needed", "Enter the code of your authenticator app first."
    ),
    CodeNotRight: _said(403, "code-not-right", "Enter the code that your authenticator app shows now."),
    AlreadyEnrolled: _said(409, "already-enrolled", "An authenticator app is set up already."),
    NothingToReset: _said(409, "nothing-to-reset", "This person has set up no authenticator app."),
    NotYourself: _said(403, "not-yourself", "Ask another administrator to reset your authenticator app."),
    NotSignedIn: _said(409, "not-signed-in", "This person is not signed in."),
    ForAdministrators: _said(403, "for-administrators", "Only an administrator signs out DfE staff."),
    TooManyRequests: _too_many_links,
    TooManyCodes: _too_many_codes,
}


def problem_of(error: Exception) -> Problem:
    return PROBLEMS[type(error)](error)


def in_words(seconds: int) -> str:
    """How long, for people: never too short, and never more exact than is of use."""
    minutes = ceil(seconds / 60)
    if seconds <= 60:
        return f"{seconds} seconds" if seconds != 1 else "1 second"
    return f"{minutes} minutes" if minutes <= 120 else f"{ceil(minutes / 60)} hours"

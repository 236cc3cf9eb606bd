"""Which language a page is in: the one that was chosen by a link on any page, kept in a cookie.

The link is the address of the page itself with `lang` in it, so that one stays where one is. It works without
JavaScript, and nothing of the page is told to anybody by it.
"""

from collections.abc import Sequence
from typing import Final
from urllib.parse import parse_qsl, quote, urlencode

from fastapi import Request
from fastapi.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from services.gateway.language import Language, present_language, speak
from services.gateway.session import Cookies

PARAMETER: Final = "lang"
LOOKS: Final = ("GET", "HEAD")


class ChooseLanguage:
    """ASGI middleware, where not only English is offered. The first is for those who did not choose."""

    def __init__(self, app: ASGIApp, languages: Sequence[Language], cookies: Cookies) -> None:
        self.app = app
        self._cookies = cookies
        self._offered = {language.tag: language for language in languages}
        self._first = languages[0]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request = Request(scope)
        chosen = request.query_params.get(PARAMETER)
        if chosen in self._offered and request.method in LOOKS:
            response = RedirectResponse(_address(request, None), 303)
            self._cookies.keep_language(response, chosen)
            await response(scope, receive, send)
            return
        kept = self._cookies.language_of(request)
        # Each request has a task of its own, so this holds for this page only, also where errors are told.
        speak(self._offered.get(kept or "", self._first))
        await self.app(scope, receive, send)


def choices(request: Request, languages: Sequence[Language]) -> list[dict[str, object]]:
    """For the header. None with one language; nor above a form that was sent: what was typed would go."""
    if len(languages) < 2 or request.method not in LOOKS:
        return []
    present = present_language()
    return [
        {
            "tag": each.tag,
            "name": each.name,
            "switch": each.switch,
            "href": _address(request, each),
            "current": each is present,
        }
        for each in languages
    ]


def _address(request: Request, language: Language | None) -> str:
    """Of the present page, with what it is asked for, and this choice."""
    pairs = parse_qsl(request.url.query, keep_blank_values=True)
    kept = [(name, value) for name, value in pairs if name != PARAMETER]
    if language is not None:
        kept.append((PARAMETER, language.tag))
    path = "/" + quote(request.url.path.lstrip("/\\"))  # with two slashes it would be another site's
    return f"{path}?{urlencode(kept)}" if kept else path

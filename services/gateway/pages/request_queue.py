"""A list of access requests by state, as users and staff see it."""

from typing import Any
from urllib.parse import urlencode

from fastapi import Request

from services.gateway import content
from services.gateway.forms import LONGEST_EMAIL
from services.gateway.language import gettext
from services.gateway.paging import pagination
from services.gateway.visitor import Visitor
from shared.contracts.access import RequestState

FIRST_PAGE, LAST_PAGE = 1, 1_000_000


def number_of(page: str | None) -> int:
    """The page that a URL asks for; the first for what is no page number."""
    if page is None or not (page.isascii() and page.isdigit() and len(page) <= len(str(LAST_PAGE))):
        return FIRST_PAGE
    return min(max(int(page), FIRST_PAGE), LAST_PAGE)


def state_of(text: str | None) -> RequestState | None:
    try:
        return RequestState(text) if text else None
    except ValueError:
        return None


async def queue(request: Request, visitor: Visitor, path: str) -> dict[str, Any]:
    """What the template needs."""
    state = state_of(request.query_params.get("state"))
    q = request.query_params.get("q", "").strip()[:LONGEST_EMAIL].replace("\x00", "")
    found = await visitor.access.requests(state, number_of(request.query_params.get("page")), q)

    def href(number: int) -> str:
        return _address(path, state, number, q)

    states = [
        {
            "text": tag.text,
            "count": found.by_state.get(each, 0),
            "href": _address(path, each, 1, q),
            "current": each is state,
        }
        for each, tag in content.REQUEST_STATES.items()
    ]
    total = {
        "text": gettext("All"),
        "count": sum(found.by_state.values()),
        "href": _address(path, None, 1, q),
        "current": state is None,
    }
    return {
        "found": found,
        "path": path,
        "q": q,
        "state": state,
        "states": [total, *states],
        "pagination": pagination(found.page, found.pages, href),
    }


def _address(path: str, state: RequestState | None, number: int, q: str) -> str:
    parameters = {"q": q} if q else {}
    if state:
        parameters["state"] = state.value
    if number > 1:
        parameters["page"] = str(number)
    return f"{path}?{urlencode(parameters)}" if parameters else path

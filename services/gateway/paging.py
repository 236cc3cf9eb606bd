"""Which page numbers a pagination shows."""

from collections.abc import Callable
from typing import Final, TypedDict

from markupsafe import Markup

from services.gateway.language import N_, gettext

PREVIOUS: Final = N_('Previous<span class="govuk-visually-hidden"> page</span>')
NEXT: Final = N_('Next<span class="govuk-visually-hidden"> page</span>')


class PageItem(TypedDict, total=False):
    number: int
    visuallyHiddenText: str
    href: str
    current: bool
    ellipsis: bool


class PageLink(TypedDict):
    href: str
    html: Markup


class Pagination(TypedDict, total=False):
    """Parameters of the GOV.UK component."""

    previous: PageLink
    next: PageLink
    landmarkLabel: str
    items: list[PageItem]


def pagination(page: int, pages: int, href: Callable[[int], str]) -> Pagination | None:
    """First, last, present page and its neighbours; dots for what is left out. None when one page is all.

    href: the address of a page. Source: GOV.UK Design System, Pagination.
    """
    if pages <= 1:
        return None
    shown = sorted({1, pages, *range(max(1, page - 1), min(pages, page + 1) + 1)})
    items: list[PageItem] = []
    before = 0
    for number in shown:
        if number == before + 2:
            items.append(_item(before + 1, href))  # dots for one page save nothing
        elif number > before + 2:
            items.append({"ellipsis": True})
        item = _item(number, href)
        if number == page:
            item["current"] = True
        items.append(item)
        before = number
    found: Pagination = {"items": items, "landmarkLabel": gettext("Pagination")}
    if page > 1:
        found["previous"] = {"href": href(page - 1), "html": _marked(PREVIOUS)}
    if page < pages:
        found["next"] = {"href": href(page + 1), "html": _marked(NEXT)}
    return found


def _marked(constant: str) -> Markup:
    """A sentence of this module that holds markup, in the present language."""
    return Markup(gettext(constant))  # noqa: S704


def _item(number: int, href: Callable[[int], str]) -> PageItem:
    said = gettext("Page %(number)s", number=number)
    return {"number": number, "href": href(number), "visuallyHiddenText": said}

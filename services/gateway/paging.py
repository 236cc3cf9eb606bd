"""Which page numbers a pagination shows."""

from collections.abc import Callable
from typing import TypedDict


class PageItem(TypedDict, total=False):
    number: int
    href: str
    current: bool
    ellipsis: bool


class PageLink(TypedDict):
    href: str


class Pagination(TypedDict, total=False):
    """Parameters of the GOV.UK component."""

    previous: PageLink
    next: PageLink
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
            items.append({"number": before + 1, "href": href(before + 1)})  # dots for one page save nothing
        elif number > before + 2:
            items.append({"ellipsis": True})
        item: PageItem = {"number": number, "href": href(number)}
        if number == page:
            item["current"] = True
        items.append(item)
        before = number
    found: Pagination = {"items": items}
    if page > 1:
        found["previous"] = {"href": href(page - 1)}
    if page < pages:
        found["next"] = {"href": href(page + 1)}
    return found

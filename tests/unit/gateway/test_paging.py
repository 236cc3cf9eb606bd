"""Which page numbers a pagination shows."""

import pytest
from jinja2 import Environment, PackageLoader

from services.gateway.paging import Pagination, pagination


def shown(page: int, pages: int) -> list[int | str]:
    found = pagination(page, pages, lambda number: f"?page={number}")
    assert found is not None
    return ["…" if "ellipsis" in item else item["number"] for item in found["items"]]


def written(found: Pagination) -> str:
    macros = Environment(loader=PackageLoader("services.gateway"), autoescape=True)
    said = macros.from_string('{% from "macros/paging.html" import pages %}{{ pages(found) }}')
    return said.render(found=found)


@pytest.mark.parametrize(
    ("page", "pages", "expected"),
    [
        (1, 2, [1, 2]),
        (1, 9, [1, 2, "…", 9]),
        (5, 9, [1, "…", 4, 5, 6, "…", 9]),
        (4, 9, [1, 2, 3, 4, 5, "…", 9]),
        (6, 9, [1, "…", 5, 6, 7, 8, 9]),
        (9, 9, [1, "…", 8, 9]),
        (3, 5, [1, 2, 3, 4, 5]),
    ],
)
def test_ends_neighbours_and_dots(page: int, pages: int, expected: list[int | str]) -> None:
    assert shown(page, pages) == expected


def test_one_page_needs_no_pagination() -> None:
    assert pagination(1, 1, str) is None


def test_the_first_page_has_no_previous_and_the_last_no_next() -> None:
    first, last = pagination(1, 3, str), pagination(3, 3, str)
    assert first is not None
    assert last is not None
    assert ("previous" in first, first["next"]["href"]) == (False, "2")
    assert ("next" in last, last["previous"]["href"]) == (False, "2")


def test_the_present_page_alone_is_current() -> None:
    found = pagination(2, 3, str)
    assert found is not None
    assert [item["number"] for item in found["items"] if item.get("current")] == [2]


def test_the_words_of_its_links_are_markup_and_whatever_else_is_escaped() -> None:
    found = pagination(2, 3, lambda number: f"?words=<b>&page={number}")
    assert found is not None
    html = written(found)
    assert 'Previous<span class="govuk-visually-hidden"> page</span>' in html
    assert 'Next<span class="govuk-visually-hidden"> page</span>' in html
    assert 'href="?words=&lt;b&gt;&amp;page=3"' in html
    assert "<b>" not in html
    assert "&lt;i&gt;" in written({"items": [], "next": {"href": "", "html": "<i>"}})  # type: ignore[typeddict-item]

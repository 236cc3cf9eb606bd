"""The list's address says the whole view, and each link changes one thing in it."""

import pytest
from pydantic import ValidationError

from services.gateway.list_view import ListView
from services.gateway.pages.exports import in_words
from shared.contracts.export import ListQuery

VIEW = ListView.read(
    "q=smith+%26+co&role=ect&academic_year=2023&academic_year=2024&status=checking_qts&page=3"
)


def test_an_address_comes_back_as_it_was() -> None:
    assert ListView.read(VIEW.query) == VIEW
    assert VIEW.search == "smith & co"


def test_empty_fields_of_the_form_do_not_clutter_the_address() -> None:
    assert (
        ListView.of([("q", ""), ("role", "ect"), ("status", " "), ("role", "ect")]).url
        == "/participants?role=ect"
    )


def test_another_page_keeps_search_and_filters() -> None:
    assert VIEW.at_page(4).url.endswith("status=checking_qts&page=4")
    assert "page" not in VIEW.at_page(1).url


def test_a_filter_that_is_taken_away_leaves_the_others_and_the_first_page() -> None:
    assert VIEW.without("academic_year", "2023") == ListView.read(
        "q=smith+%26+co&role=ect&academic_year=2024&status=checking_qts"
    )


def test_one_status_takes_the_place_of_the_chosen_ones() -> None:
    assert VIEW.only("status", "participant_deferred").values("status") == ["participant_deferred"]
    assert VIEW.only("status", None).values("status") == []


def test_an_export_takes_the_view_without_its_page() -> None:
    query = VIEW.as_list_query()
    assert query == ListQuery(
        q="smith & co", role=["ect"], academic_year=[2023, 2024], status=["checking_qts"]
    )
    assert ListView.of_list_query(query) == VIEW.at_page(1)


def test_an_export_keeps_the_order_of_the_list() -> None:
    view = ListView.read("q=smith&sort=-changed&page=3")
    query = view.as_list_query()
    assert query.sort == "-changed"
    assert ListView.of_list_query(query) == view.at_page(1)
    assert in_words(query) == ["Search: smith", "Sorted by latest change of status"]


def test_what_cannot_be_a_filter_cannot_be_exported() -> None:
    with pytest.raises(ValidationError):
        ListView.read("academic_year=soon").as_list_query()


def test_a_way_back_to_the_list_carries_nothing_but_search_and_filters() -> None:
    assert ListView.read("q=a&next=//evil.example&done=x").url == "/participants?q=a"

"""After sign-in nobody is led to another site."""

import pytest

from services.gateway.return_to import local_path, with_return_to


@pytest.mark.parametrize(
    "path", ["/participants", "/participants?q=smith&page=2", "/staff/audit?kind=a.b%2F"]
)
def test_a_page_of_ours_is_returned_to(path: str) -> None:
    assert local_path(path) == path


@pytest.mark.parametrize(
    "elsewhere",
    [
        None,
        "",
        "participants",
        "https://evil.example/",
        "//evil.example/",
        "///evil.example/",
        "/\\evil.example/",
        "\\\\evil.example/",
        "/\t/evil.example/",
        "/\n/evil.example/",
        " /participants",
        "/ /evil.example",
        "javascript:alert(1)",
        "/participants\x7f",
        "/" + "a" * 500,
        "//[",
    ],
)
def test_everything_else_is_not(elsewhere: str | None) -> None:
    assert local_path(elsewhere) is None


@pytest.mark.parametrize(
    "page", ["/sign-in", "/sign-in?return_to=/x", "/sign-in/link/abc", "/sign-out", "/choose-role"]
)
def test_pages_that_lead_round_in_a_circle_are_not_returned_to(page: str) -> None:
    assert local_path(page) is None


def test_the_way_back_is_one_parameter_whatever_is_in_it() -> None:
    assert (
        with_return_to("/sign-in", "/participants?q=a&b#c")
        == "/sign-in?return_to=%2Fparticipants%3Fq%3Da%26b%23c"
    )
    assert with_return_to("/sign-in", None) == "/sign-in"

"""When a page warns that the session ends, and what it says of the browser."""

from datetime import UTC, datetime, timedelta

import pytest

from services.gateway.browser_words import browser_in_words
from services.gateway.warning import session_warning, warning_stylesheet

NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("idle", "absolute", "after", "may_go_on"),
    [(30, 480, 28, True), (29.5, 480, 27, True), (15, 10, 8, False), (1, 480, 0, True), (15, 15, 13, False)],
)
def test_the_warning_comes_two_minutes_before_the_nearer_end(
    idle: float, absolute: float, after: int, may_go_on: bool
) -> None:
    warning = session_warning(NOW + timedelta(minutes=idle), NOW + timedelta(minutes=absolute), NOW)
    assert (warning.after_minutes, warning.may_go_on) == (after, may_go_on)


def test_the_stylesheet_waits_so_long() -> None:
    assert "1680s" in warning_stylesheet(28)


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
            "Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0",
            "Edge on Windows",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
            "Version/18.5 Mobile/15E148 Safari/604.1",
            "Safari on iPhone",
        ),
        ("<script>alert(1)</script> Linux", "A browser on Linux"),
        ("python-httpx/0.28.1", None),
        ("", None),
    ],
)
def test_a_browser_is_called_as_people_call_it(agent: str, words: str | None) -> None:
    assert browser_in_words(agent) == words

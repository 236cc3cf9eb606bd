"""Whose network address counts, behind no proxy, one, or several."""

from types import SimpleNamespace

import pytest
from starlette.requests import Request

from services.gateway.network import network_address


@pytest.mark.parametrize(
    ("proxies", "forwarded", "counts"),
    [
        (0, "203.0.113.9", "192.0.2.1"),
        (1, "203.0.113.9", "203.0.113.9"),
        (1, "198.51.100.66, 203.0.113.9", "203.0.113.9"),
        (2, "6.6.6.6, 203.0.113.9, 192.0.2.50", "203.0.113.9"),
        (2, "203.0.113.9", "192.0.2.1"),
        (1, None, "192.0.2.1"),
        (1, "x" * 5000, "x" * 100),
    ],
)
def test_what_the_caller_says_of_itself_counts_nothing(
    proxies: int, forwarded: str | None, counts: str
) -> None:
    headers = [(b"x-forwarded-for", forwarded.encode())] if forwarded else []
    app = SimpleNamespace(state=SimpleNamespace(settings=SimpleNamespace(trusted_proxies=proxies)))
    scope = {"type": "http", "client": ("192.0.2.1", 1), "headers": headers, "app": app}
    assert network_address(Request(scope)) == counts

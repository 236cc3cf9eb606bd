"""Cookies: what they are marked with, and that one which somebody planted is good for nothing."""

import pytest
from fastapi import Response
from starlette.requests import Request

from services.gateway.session import DEVICE_SECONDS, Cookies
from tests.integration.auth.running import Running


def set_cookie(keep: str, value: str, *, secure: bool = True) -> str:
    response, cookies = Response(), Cookies(secure=secure)
    getattr(cookies, keep)(response, value)
    return response.headers["set-cookie"]


@pytest.mark.parametrize("keep", ["keep_session", "keep_visit", "keep_device"])
def test_every_cookie_is_for_this_host_over_tls_and_no_script(keep: str) -> None:
    cookie = set_cookie(keep, "value")
    assert cookie.startswith("__Host-")
    for mark in ("HttpOnly", "Secure", "Path=/", "SameSite=lax"):
        assert mark in cookie
    assert "Domain" not in cookie
    assert ("Max-Age" in cookie) == (keep == "keep_device")


def test_the_session_goes_with_the_browser_and_the_device_stays() -> None:
    assert "expires" not in set_cookie("keep_session", "value").lower()
    assert f"Max-Age={DEVICE_SECONDS}" in set_cookie("keep_device", "value")


def test_over_tls_a_cookie_without_the_prefix_is_not_read() -> None:
    request = Request({"type": "http", "headers": [(b"cookie", b"session=planted; device=planted")]})
    assert Cookies(secure=True).session_of(request) is None
    assert Cookies(secure=True).device_of(request) is None


async def test_a_planted_session_is_never_the_one_that_is_signed_in(auth: Running) -> None:
    """Session fixation: values come from here alone, and change with each step of signing in."""
    before = await auth.session()
    planted = before.session
    opened = await auth.session()
    assert opened.session != planted
    assert len(opened.session) >= 43, "256 random bits"
    chosen = await auth.post(
        "/sessions/role", session=opened.session, grant_id=str(opened.choices[0].grant_id)
    )
    assert chosen.json()["session"] != opened.session
    for old in (opened.session, "planted", ""):
        answer = await auth.post("/sessions/exchange", session=old, audiences=[])
        assert answer.status_code == 401

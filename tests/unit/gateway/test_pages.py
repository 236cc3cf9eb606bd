"""The gateway's own promises, with no service behind it."""

import gzip
import json
import re
import secrets
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI
from fastapi.routing import APIRoute
from pydantic import SecretStr, ValidationError

from services.gateway.app import create
from services.gateway.dates import clock_time
from services.gateway.routes import PAGES
from services.gateway.settings import GatewaySettings
from shared.settings import EmailSettings, Environment

NOBODY_LISTENS = "http://127.0.0.1:1"
KEY = SecretStr(secrets.token_urlsafe(32))
PUBLIC = [
    "/",
    "/sign-in",
    "/sign-in/link/abc",
    "/ask-for-access",
    "/ask-for-access/check-your-email",
    "/ask-for-access/sent",
    "/sign-out",
    "/cookies",
    "/accessibility",
    "/privacy",
    "/contact",
]


def settings(folder: Path, environment: Environment = Environment.PRODUCTION) -> GatewaySettings:
    return GatewaySettings(
        environment=environment,
        csrf_keys=[KEY],
        auth_url=NOBODY_LISTENS,
        access_url=NOBODY_LISTENS,
        participants_url=NOBODY_LISTENS,
        export_url=NOBODY_LISTENS,
        assets_folder=folder / "assets",
        email=EmailSettings(inbox_folder=folder / "inbox"),
    )


def browser(app: FastAPI) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="https://check-data.example")


@pytest_asyncio.fixture(scope="module")
async def app(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[FastAPI]:
    folder = tmp_path_factory.mktemp("gateway")
    (folder / "assets").mkdir()
    name, content = "check-data.0123.css", "body { margin: 0 }"
    (folder / "assets" / name).write_text(content)
    (folder / "assets" / f"{name}.gz").write_bytes(gzip.compress(content.encode()))
    manifest = {"state": "x", "files": {"check-data.css": name}}
    (folder / "assets" / "manifest.json").write_text(json.dumps(manifest))
    app = create(settings(folder))

    @app.get("/boom")
    async def boom() -> None:
        raise RuntimeError("told to nobody")

    async with app.router.lifespan_context(app):
        yield app


@pytest_asyncio.fixture
async def page(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with browser(app) as client:
        yield client


def token_in(html: str) -> str:
    found = re.search(r'name="form_proof" value="([^"]+)"', html)
    assert found
    return found[1]


async def test_the_page_after_asking_says_until_when_the_link_is_good_as_a_rule(
    page: httpx.AsyncClient,
) -> None:
    until = datetime.now(UTC) + timedelta(minutes=10)
    answer = await page.get("/sign-in/check-your-email", params={"until": int(until.timestamp())})
    assert f"usually until {clock_time(until)}: the email says the exact time." in answer.text


@pytest.mark.parametrize("until", ["", "x", "-1", "²", "1" * 400, "99999999999", "0", "<b>"])
async def test_it_says_no_time_that_is_not_soon(page: httpx.AsyncClient, until: str) -> None:
    answer = await page.get("/sign-in/check-your-email", params={"until": until})
    assert answer.status_code == 200
    assert "for a short time" in answer.text


@pytest.mark.parametrize("path", PUBLIC)
async def test_pages_for_everybody_need_no_service(page: httpx.AsyncClient, path: str) -> None:
    answer = await page.get(path)
    assert answer.status_code == 200
    assert answer.text.count("<h1") == 1


async def test_each_page_has_a_title_of_its_own(page: httpx.AsyncClient) -> None:
    titles = [re.search("<title *>(.*)</title>", (await page.get(path)).text) for path in PUBLIC]
    assert len({found[1] for found in titles if found}) == len(PUBLIC)


@pytest.mark.parametrize(
    "path", ["/", "/nowhere", "/assets/nowhere.css", "/health/live", "/participants", "/boom"]
)
async def test_every_answer_carries_the_security_headers(
    app: FastAPI, page: httpx.AsyncClient, path: str
) -> None:
    headers = (await page.get(path)).headers
    policy = headers["content-security-policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    assert "object-src 'none'" in policy
    assert "base-uri 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-store"
    assert headers["strict-transport-security"].startswith("max-age=")


async def test_the_policy_allows_the_one_script_of_the_template_by_its_hash(page: httpx.AsyncClient) -> None:
    """The hash that GOV.UK Frontend documents: https://frontend.design-system.service.gov.uk/import-javascript/"""
    answer = await page.get("/")
    documented = "'sha256-GUQ5ad8JK5KmEWmROf3LZd9ge94daqNvd8xy9YS1iDw='"
    assert f"script-src 'self' {documented};" in answer.headers["content-security-policy"]
    assert len(re.findall(r"<script(?![^>]*src=)", answer.text)) == 1
    assert not re.search(r"<style| style=| on[a-z]+=", answer.text)


@pytest.mark.parametrize("path", [*PUBLIC, "/nowhere", "/participants", "/health/live"])
async def test_head_is_answered_like_get_without_the_page(page: httpx.AsyncClient, path: str) -> None:
    got, head = await page.get(path), await page.head(path)
    assert (head.status_code, head.content) == (got.status_code, b"")
    for name in ("content-type", "location", "cache-control", "content-security-policy"):
        assert head.headers.get(name) == got.headers.get(name)


async def test_when_busy_the_page_that_says_so_is_one_of_ours(tmp_path: Path) -> None:
    few = settings(tmp_path).model_copy(update={"requests_at_once": 0})
    async with browser(create(few)) as visitor:
        answer = await visitor.get("/")
        assert (answer.status_code, "Sorry, the service is busy" in answer.text) == (503, True)
        assert answer.headers["retry-after"]
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert (await visitor.get("/health/live")).status_code == 200


async def test_an_unknown_page_is_not_found(page: httpx.AsyncClient) -> None:
    answer = await page.get("/nowhere")
    assert (answer.status_code, "Page not found" in answer.text) == (404, True)


async def test_a_service_that_is_down_gives_a_page_that_says_what_is_away(page: httpx.AsyncClient) -> None:
    page.cookies.set("__Host-session", "s")
    answer = await page.get("/participants")
    assert answer.status_code == 503
    assert "Sorry, this page is unavailable" in answer.text
    assert "Signing in, and every page that needs it, cannot be used" in answer.text
    assert answer.headers["retry-after"]


async def test_a_bug_gives_the_problem_page_and_says_nothing_of_itself(
    app: FastAPI, page: httpx.AsyncClient
) -> None:
    answer = await page.get("/boom")
    assert answer.status_code == 500
    assert "Sorry, there is a problem with the service" in answer.text
    assert "told to nobody" not in answer.text


async def test_without_a_session_people_are_sent_to_sign_in_and_back(page: httpx.AsyncClient) -> None:
    answer = await page.get("/participants?q=smith")
    assert (answer.status_code, answer.headers["location"]) == (
        303,
        "/sign-in?return_to=%2Fparticipants%3Fq%3Dsmith",
    )


async def test_the_way_back_of_the_form_is_never_another_site(page: httpx.AsyncClient) -> None:
    answer = await page.get("/sign-in", params={"return_to": "https://evil.example/"})
    assert "evil.example" not in answer.text


async def test_opening_a_link_asks_nobody_and_shows_a_button(page: httpx.AsyncClient) -> None:
    answer = await page.get("/sign-in/link/some-token")
    assert answer.status_code == 200  # auth is down: it was not asked
    assert "Sign in" in answer.text


async def test_a_form_without_its_proof_is_refused(page: httpx.AsyncClient) -> None:
    await page.get("/sign-in")
    for proof in ({}, {"form_proof": "a.b"}):
        answer = await page.post("/sign-in", data={"email": "noor@example.org", **proof})
        assert (answer.status_code, "Go back and try again" in answer.text) == (403, True)


async def test_a_proof_is_worth_nothing_in_another_browser(app: FastAPI, page: httpx.AsyncClient) -> None:
    proof = token_in((await page.get("/sign-in")).text)
    async with browser(app) as other:
        await other.get("/sign-in")
        assert (await other.post("/sign-in", data={"email": "", "form_proof": proof})).status_code == 403
    assert (await page.post("/sign-in", data={"email": "", "form_proof": proof})).status_code == 400


async def test_no_page_takes_a_form_without_its_proof(page: httpx.AsyncClient) -> None:
    some_id = "0190a1b2-0000-7000-8000-000000000000"
    posts = [
        re.sub(r"{[a-z_]+}", some_id, route.path)
        for router in PAGES
        for route in router.routes
        if isinstance(route, APIRoute) and "POST" in (route.methods or ())
    ]
    assert len(posts) > 10
    for path in posts:
        assert (await page.post(path, data={"reason": "x"})).status_code == 403, path


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"content-type": "application/json"}, 415),
        ({"content-type": "multipart/form-data; boundary=x"}, 415),
        ({"content-type": "application/x-www-form-urlencoded", "content-length": "100001"}, 413),
    ],
)
async def test_what_is_no_form_of_ours_is_not_read(
    page: httpx.AsyncClient, headers: dict[str, str], status: int
) -> None:
    assert (await page.post("/sign-in", content=b"{}", headers=headers)).status_code == status


async def test_an_error_in_a_form_is_in_the_title_and_linked_to_its_field(page: httpx.AsyncClient) -> None:
    proof = token_in((await page.get("/sign-in")).text)
    answer = await page.post("/sign-in", data={"email": "<b>noor", "form_proof": proof})
    assert "<title >Error: Sign in" in answer.text or "<title>Error: Sign in" in answer.text
    assert 'href="#email"' in answer.text
    assert "<b>noor" not in answer.text


async def test_cookies_of_production_are_for_this_host_over_tls_only(page: httpx.AsyncClient) -> None:
    cookie = (await page.get("/sign-in")).headers["set-cookie"]
    assert cookie.startswith("__Host-visit=")
    for attribute in ("HttpOnly", "Secure", "Path=/", "SameSite=lax"):
        assert attribute in cookie
    assert "Domain" not in cookie


async def test_signing_out_clears_what_the_browser_keeps(page: httpx.AsyncClient) -> None:
    proof = token_in((await page.get("/sign-out")).text)
    answer = await page.post("/sign-out", data={"form_proof": proof})
    assert answer.status_code == 303
    assert answer.headers["clear-site-data"] == '"cache", "storage"'
    assert "Max-Age=0" in answer.headers["set-cookie"]


async def test_a_page_says_only_what_was_done_from_a_closed_list(page: httpx.AsyncClient) -> None:
    assert "You have signed out." in (await page.get("/?done=signed-out")).text
    assert "send money" not in (await page.get("/?done=send+money")).text


async def test_assets_are_kept_for_ever_and_compressed_for_those_who_take_it(page: httpx.AsyncClient) -> None:
    assert "/assets/check-data.0123.css" in (await page.get("/")).text
    for offered, encoding in (("gzip, br", "gzip"), ("br", None), ("gzip;q=0", None)):
        answer = await page.get("/assets/check-data.0123.css", headers={"accept-encoding": offered})
        assert answer.headers.get("content-encoding") == encoding
        assert answer.text == "body { margin: 0 }"
        assert "immutable" in answer.headers["cache-control"]
        assert answer.headers["content-type"].startswith("text/css")


async def test_only_assets_are_served_from_the_folder(page: httpx.AsyncClient) -> None:
    for name in ("manifest.json", "check-data.css", "..%2Fmanifest.json", "check-data.0123.css.gz"):
        assert (await page.get(f"/assets/{name}")).status_code == 404


async def test_ready_means_that_there_are_assets(page: httpx.AsyncClient, tmp_path: Path) -> None:
    assert (await page.get("/health/ready")).status_code == 200
    async with browser(create(settings(tmp_path / "empty"))) as other:
        assert (await other.get("/health/ready")).status_code == 503
        assert (await other.get("/health/live")).status_code == 200


async def test_the_inbox_exists_in_development_only(page: httpx.AsyncClient, tmp_path: Path) -> None:
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    for number, to in enumerate(["a@example.org", "b@example.org"]):
        email = {
            "id": str(number),
            "sent_at": f"2026-01-0{number + 1}T12:00:00Z",
            "to": to,
            "subject": f"Subject {number}",
        }
        (inbox / f"{number}.json").write_text(
            json.dumps({**email, "body": "Go to http://127.0.0.1:8000/x & <b>\n"})
        )
    (inbox / "half.json").write_text("{")
    assert (await page.get("/dev/inbox")).status_code == 404
    async with browser(create(settings(tmp_path, Environment.DEVELOPMENT))) as other:
        shown = (await other.get("/dev/inbox")).text
        assert shown.index("Subject 1") < shown.index("Subject 0")
        assert 'href="http://127.0.0.1:8000/x"' in shown
        assert "<b>" not in shown
        assert "Subject 0" not in (await other.get("/dev/inbox?to=B@example")).text


def test_production_needs_a_key_for_its_forms(tmp_path: Path) -> None:
    for weak in ([], ["short"], ["k" * 40], ["change-me-in-production-0123456789abcdef"]):
        with pytest.raises(ValidationError, match="csrf_keys"):
            GatewaySettings(environment=Environment.PRODUCTION, csrf_keys=[SecretStr(key) for key in weak])
    (made,) = GatewaySettings(environment=Environment.DEVELOPMENT, csrf_keys=[]).form_keys()
    assert len(made) == 32

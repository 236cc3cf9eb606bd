"""The pages that come when something does not work are pages like all others. No service runs for these."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from playwright.async_api import Browser

from services.gateway.app import create
from services.gateway.settings import GatewaySettings
from shared.embedded.ports import free_ports
from shared.settings import Environment
from tests.browser.crawl import CrawledPage, Site
from tests.browser.documents import read
from tests.browser.looking import look_at
from tests.browser.validator import complaints, installed

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

NOBODY_LISTENS = "http://127.0.0.1:1"
SESSION = {"session": "somebody's"}


def gateway(requests_at_once: int = 10, languages: list[str] | None = None) -> FastAPI:
    app = create(
        GatewaySettings(
            environment=Environment.DEVELOPMENT,
            auth_url=NOBODY_LISTENS,
        ).model_copy(update={"requests_at_once": requests_at_once, "languages": languages or ["en"]})
    )

    @app.get("/bug")
    async def bug() -> None:
        raise RuntimeError("told to nobody")

    return app


@asynccontextmanager
async def serving(app: FastAPI) -> AsyncIterator[str]:
    (port,) = free_ports(1)
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="critical"))
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.02)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    await task


@pytest.mark.parametrize(
    ("path", "requests_at_once", "status", "heading"),
    [
        ("/participants", 10, 503, "Sorry, this page is unavailable"),
        ("/bug", 10, 500, "Sorry, there is a problem with the service"),
        ("/", 0, 503, "Sorry, the service is busy"),
    ],
)
async def test_a_page_of_trouble_is_accessible_valid_and_light(
    browser: Browser, tmp_path: Path, path: str, requests_at_once: int, status: int, heading: str
) -> None:
    async with serving(gateway(requests_at_once)) as url, httpx.AsyncClient(cookies=SESSION) as http:
        answer = await http.get(url + path)
        page = CrawledPage("nobody", path, answer.status_code, answer.text, read(answer.text), "nowhere")
        (look,) = await look_at(browser, Site(url, cookies={"nobody": SESSION}), [page], thoroughly=True)
    assert (page.status, page.document.headings) == (status, [heading])
    assert (look.violations, look.beyond_the_edge, len(look.hosts)) == ([], 0, 1)
    assert 0 < look.bytes < 150_000
    assert complaints(installed(Path("var") / "html-validator"), {path: answer.text}, tmp_path) == []

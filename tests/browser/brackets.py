"""The pages of a crawled site once more, with brackets around each sentence that can be translated."""

import os
from collections.abc import Mapping
from io import BytesIO
from urllib.parse import urljoin

import httpx
from babel.messages.pofile import read_po

from services.cli.home import Home
from services.gateway.app import create
from services.gateway.catalogues import PSEUDO
from services.gateway.extraction import POT
from services.gateway.settings import GatewaySettings
from tests.browser.crawl import CrawledPage, Site
from tests.running import RunningSystem
from tests.untranslated import forms, untranslated

ANY_HOST = "http://127.0.0.1"


async def words_outside_brackets(system: RunningSystem, site: Site) -> list[tuple[CrawledPage, list[str]]]:
    """What each page says in English all the same."""
    with Home(system.home).environment_of("gateway"):
        os.environ["CHECK_DATA_LANGUAGES"] = f'["{PSEUDO}"]'
        app = create(GatewaySettings())
    sentences = {form for message in read_po(BytesIO(POT.read_bytes())) for form in forms(message.id) if form}
    found = []
    async with app.router.lifespan_context(app):
        for page in site.of_each_kind(in_every_state=True):
            html = await _again(httpx.ASGITransport(app), site.cookies.get(page.role, {}), page)
            assert "⟦" in html, str(page)
            found.append((page, untranslated(html, sentences)))
    return found


async def _again(transport: httpx.ASGITransport, cookies: Mapping[str, str], page: CrawledPage) -> str:
    async with httpx.AsyncClient(transport=transport, base_url=ANY_HOST, cookies=dict(cookies)) as visitor:
        if page.sent is None:
            return (await visitor.get(page.url)).text
        return (await visitor.post(urljoin(page.url, page.sent.action), data=dict(page.sent.hidden))).text

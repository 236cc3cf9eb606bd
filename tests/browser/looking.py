"""Pages looked at in a browser: on a desk, on a phone, enlarged four times; and what came over the line."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, ViewportSize

from tests.browser.crawl import CrawledPage, Site

DESK: Final[ViewportSize] = {"width": 1280, "height": 900}
PHONE: Final[ViewportSize] = {"width": 390, "height": 844}
SIZES: Final = {"desk": DESK, "phone": PHONE}
ENLARGED: Final[ViewportSize] = {"width": 320, "height": 256}
"""What is left of 1280 × 1024 at 400 %. Source: WCAG 2.2, Understanding 1.4.10 Reflow."""
AT_ONCE: Final = 2

SEND_WITHOUT_ANSWERS: Final = """action => {
  const form = [...document.forms].find(f => f.getAttribute('action') === action && f.method === 'post');
  for (const field of form.elements) if (field.type !== 'hidden') field.removeAttribute('name');
  form.submit();
}"""
BEYOND_THE_EDGE: Final = (
    """() => document.documentElement.scrollWidth - document.documentElement.clientWidth"""
)


@dataclass  # without slots: Playwright leaves marks on listeners
class Look:
    page: CrawledPage
    first: bool
    """The first page that this browser saw: nothing was kept from before."""
    violations: list[str] = field(default_factory=list)
    beyond_the_edge: int = 0
    """Pixels, enlarged."""
    bytes: int = 0
    """Over the line, compressed, with all that the page needs."""
    hosts: set[str] = field(default_factory=set)
    complaints: list[str] = field(default_factory=list)

    def add_bytes(self, event: dict[str, Any]) -> None:
        self.bytes += int(event["encodedDataLength"])

    def add_host(self, event: dict[str, Any]) -> None:
        self.hosts.add(urlsplit(event["request"]["url"]).netloc)

    def add_complaint(self, message: ConsoleMessage) -> None:
        # A page that answers 4xx is reported as a resource that failed to load: that is meant.
        if message.type == "error" and "status of 4" not in message.text:
            self.complaints.append(message.text)


async def look_at(browser: Browser, site: Site, pages: list[CrawledPage], *, thoroughly: bool) -> list[Look]:
    """Each page once. Not thoroughly: axe sees the first page on the desk, the next on a phone, and so on."""
    by_role: dict[str, list[CrawledPage]] = {}
    for page in pages:
        by_role.setdefault(page.role, []).append(page)
    gate = asyncio.Semaphore(AT_ONCE)

    async def of_role(role: str, pages: list[CrawledPage]) -> list[Look]:
        async with gate, await context_of(browser, site.url, site.cookies.get(role, {})) as context:
            tab = await context.new_page()
            return [
                await _look(tab, site.url, page, _sizes(number, thoroughly), first=number == 0)
                for number, page in enumerate(pages)
            ]

    found = await asyncio.gather(*(of_role(role, pages) for role, pages in by_role.items()))
    return [look for looks in found for look in looks]


async def context_of(
    browser: Browser, url: str, cookies: Mapping[str, str], **options: Any
) -> BrowserContext:
    """A browser of its own, with a session that somebody opened before."""
    context = await browser.new_context(viewport=DESK, **options)
    await context.add_cookies([{"name": name, "value": value, "url": url} for name, value in cookies.items()])
    return context


async def open_page(tab: Page, url: str, page: CrawledPage) -> None:
    await tab.goto(url + page.url)
    if page.sent is not None:
        async with tab.expect_navigation():
            await tab.evaluate(SEND_WITHOUT_ANSWERS, page.sent.action)


def _sizes(number: int, thoroughly: bool) -> tuple[str, ...]:
    names = tuple(SIZES)
    return names if thoroughly else (names[number % len(names)],)


async def _look(tab: Page, url: str, page: CrawledPage, sizes: tuple[str, ...], *, first: bool) -> Look:
    look = Look(page, first)
    line = await tab.context.new_cdp_session(tab)
    await line.send("Network.enable")
    line.on("Network.loadingFinished", look.add_bytes)
    line.on("Network.requestWillBeSent", look.add_host)
    tab.on("console", look.add_complaint)
    await tab.set_viewport_size(DESK)
    await open_page(tab, url, page)
    await line.detach()
    for name in sizes:
        await tab.set_viewport_size(SIZES[name])
        found = await Axe().run(tab)
        look.violations += [f"{name}: {each}" for each in map(_violation, found.response["violations"])]
    await tab.set_viewport_size(ENLARGED)
    look.beyond_the_edge = await tab.evaluate(BEYOND_THE_EDGE)
    tab.remove_listener("console", look.add_complaint)
    return look


def _violation(found: dict[str, Any]) -> str:
    places = [" ".join(map(str, node["target"])) for node in found["nodes"][:3]]
    return f"{found['id']} ({found['help']}) at {'; '.join(places)}"


def report(looks: list[Look]) -> str:
    """A table for people: what was looked at, and what was found."""
    lines = [
        "| page | role | answer | axe, desk and phone | beyond the edge at 400% | kB |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for look in sorted(looks, key=lambda look: (look.page.shape, look.page.status)):
        page = look.page
        how = "form without answers" if page.sent else "first view" if look.first else ""
        found = "; ".join(look.violations) or "0"
        lines.append(
            f"| `{page.shape}` {how} | {page.role} | {page.status} | {found} | {look.beyond_the_edge} px "
            f"| {look.bytes / 1000:.0f} |"
        )
    return "\n".join([*lines, ""])

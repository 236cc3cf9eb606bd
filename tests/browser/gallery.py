"""`python -m tests.browser.gallery`: pictures of every kind of page, desk and phone, to be leafed through.

Writes them into var/screenshots/every-page, with an index.html that shows both beside each other.
"""

import asyncio
import re
import shutil
import tempfile
from html import escape
from pathlib import Path
from typing import Final

from playwright.async_api import Browser, async_playwright

from tests.browser.conftest import FLAGS, SCREENSHOTS, chromium
from tests.browser.crawl import CrawledPage, Site, crawl
from tests.browser.looking import DESK, SIZES, context_of, open_page
from tests.running import RunningSystem, running_system

NOT_IN_A_NAME: Final = re.compile(r"[^a-z0-9]+")


def main() -> None:
    folder = SCREENSHOTS / "every-page"
    shutil.rmtree(folder, ignore_errors=True)
    with tempfile.TemporaryDirectory() as place:
        home = Path(place)
        home.chmod(0o755)  # when run as root, Postgres runs as another user
        with running_system(home) as system:
            asyncio.run(_take(system, folder))
    print(f"{folder}/index.html")


async def _take(system: RunningSystem, folder: Path) -> None:
    site = await crawl(system)
    pages = site.of_each_kind(in_every_state=True)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        for number, page in enumerate(pages, 1):
            await _picture(browser, site, page, folder, f"{number:02}-{_name(page)}.png")
        await browser.close()
    (folder / "index.html").write_text(_index(pages))


async def _picture(browser: Browser, site: Site, page: CrawledPage, folder: Path, name: str) -> None:
    cookies = site.cookies.get(page.role, {})
    async with await context_of(browser, site.url, cookies) as context:
        tab = await context.new_page()
        await tab.set_viewport_size(DESK)
        await open_page(tab, site.url, page)
        for size, viewport in SIZES.items():
            await tab.set_viewport_size(viewport)
            await tab.screenshot(path=folder / size / name, full_page=True)


def _name(page: CrawledPage) -> str:
    sent = "-errors" if page.sent else ""
    words = NOT_IN_A_NAME.sub("-", page.shape.replace("{id}", "one").lower()).strip("-") or "start"
    return f"{words}{sent}-{page.role.replace(' ', '-')}"


def _index(pages: list[CrawledPage]) -> str:
    figures = "".join(
        f"<figure><figcaption>{escape(str(page))}</figcaption>"
        f'<img src="desk/{number:02}-{_name(page)}.png" width="640" alt="">'
        f'<img src="phone/{number:02}-{_name(page)}.png" width="195" alt=""></figure>'
        for number, page in enumerate(pages, 1)
    )
    return f'<!DOCTYPE html><html lang="en"><title>Every page</title><h1>Every page</h1>{figures}</html>'


if __name__ == "__main__":
    main()

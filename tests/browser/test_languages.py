"""The choice of a language in a browser: seen, heard, worked by keyboard, without JavaScript."""

from pathlib import Path

import httpx
import pytest
from playwright.async_api import Browser, expect

from tests.browser.crawl import CrawledPage, Site
from tests.browser.documents import read
from tests.browser.keyboard import Keyboard
from tests.browser.looking import context_of, look_at
from tests.browser.test_pages_of_trouble import gateway, serving
from tests.browser.validator import complaints, installed

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

PATH = "/sign-in/check-your-email"
WELSH = {"language": "cy"}


async def test_a_page_in_another_language_is_accessible_and_valid(browser: Browser, tmp_path: Path) -> None:
    async with serving(gateway(languages=["en", "cy"])) as url, httpx.AsyncClient(cookies=WELSH) as http:
        answer = await http.get(url + PATH)
        page = CrawledPage("nobody", PATH, answer.status_code, answer.text, read(answer.text), "nowhere")
        (look,) = await look_at(browser, Site(url, cookies={"nobody": WELSH}), [page], thoroughly=True)
    assert page.document.headings == ["Gwiriwch eich e-bost"]
    assert (look.violations, look.beyond_the_edge) == ([], 0)
    assert complaints(installed(Path("var") / "html-validator"), {PATH: answer.text}, tmp_path) == []


@pytest.mark.parametrize("scripts", [True, False])
async def test_it_is_chosen_by_keyboard_and_stays(browser: Browser, scripts: bool) -> None:
    async with (
        serving(gateway(languages=["en", "cy"])) as url,
        await context_of(browser, url, {}, java_script_enabled=scripts) as context,
    ):
        page = await context.new_page()
        await page.goto(url + PATH)
        await Keyboard(page).tab_to("a[hreflang=cy]")
        await page.keyboard.press("Enter")
        await expect(page).to_have_url(url + PATH)
        await expect(page.get_by_role("heading", level=1)).to_have_text("Gwiriwch eich e-bost")
        await page.goto(url + "/cookies")
        await expect(page.locator("html")).to_have_attribute("lang", "cy")

"""Promises of every page that anybody can reach. New pages are found by their links and covered like all."""

import asyncio
import os
import re
from collections import defaultdict
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urldefrag

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from tests.browser.brackets import words_outside_brackets
from tests.browser.crawl import PEOPLE, Site, crawl, shapes_by_role, signed_in
from tests.browser.keyboard import FOCUSED, TO_BE_REACHED, Keyboard
from tests.browser.looking import Look, context_of, look_at, report
from tests.browser.validator import complaints, installed
from tests.running import RunningSystem

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

FOR_EVERYBODY = {"/", "/cookies", "/accessibility", "/privacy", "/contact", "/choose-role"}
FOR_ROLES = {
    "delivery partner": {
        "/participants",
        "/summary",
        "/participants/{id}",
        "/exports",
        "/exports/{id}",
        "/access-requests",
    },
    "appropriate body": {"/participants", "/exports"},
    "lead provider": {"/lead-provider/confirmations"},
    "support": {
        "/staff/access-requests",
        "/staff/access-requests/{id}",
        "/staff/agreements",
        "/staff/people",
    },
    "policy": {"/staff/access-requests/{id}", "/staff/agreements/new", "/staff/people/{id}"},
    "administrator": {"/staff/people", "/staff/audit"},
    "auditor": {"/staff/audit"},
}
OUTSIDE = (
    "https://www.gov.uk",
    "https://mcmw.abilitynet.org.uk/",
    "https://ico.org.uk/",
    "https://www.equalityadvisoryservice.com/",
    "https://www.nationalarchives.gov.uk/",
    "mailto:",
)
FORMS = {
    "nobody": ["/sign-in", "/ask-for-access"],
    "delivery partner": ["/choose-role", "/access-requests/new"],
    "policy": [
        "/staff/agreements/new",
        "/staff/agreements/import",
        "/staff/people/new-contact",
        "/staff/people/reviews/new",
    ],
    "support": ["/staff/access-requests/new", "/staff/access-requests/import"],
}
THOROUGHLY = "CHECK_DATA_THOROUGHLY" in os.environ
"""Every state of every page, at both widths (`make accessibility`); else each page in one of them."""
REPORT = Path("var") / "accessibility.md"
FIRST_VIEW, LATER_PAGE = 150_000, 30_000
"""Bytes."""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def site(system: RunningSystem) -> AsyncIterator[Site]:
    await _leave_something_to_see(system)
    yield await crawl(system)


async def _leave_something_to_see(system: RunningSystem) -> None:
    """A file that is ready."""
    visitor = await signed_in(system, "delivery partner")
    page = await visitor.submit(await visitor.get("/participants?role=mentor"), "/exports")
    async with asyncio.timeout(60):
        while "/download" not in page.response.text:
            await asyncio.sleep(0.2)
            page = await visitor.get(page.path)
    await visitor.close()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def looks(browser: Browser, site: Site) -> list[Look]:
    pages = site.of_each_kind(in_every_state=THOROUGHLY)
    found = await look_at(browser, site, pages, thoroughly=THOROUGHLY)
    if THOROUGHLY:
        REPORT.write_text(report(found))
    return found


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def tabs(browser: Browser, site: Site) -> AsyncIterator[dict[str, Page]]:
    """An open browser for each role that has forms to fill in."""
    contexts = {role: await context_of(browser, site.url, site.cookies[role]) for role in FORMS}
    yield {role: await context.new_page() for role, context in contexts.items()}
    for context in contexts.values():
        await context.close()


def test_the_pages_of_each_role_are_reached_by_links(site: Site) -> None:
    reached = shapes_by_role(site.pages)
    assert set(reached) == set(PEOPLE)
    for role, shapes in reached.items():
        expected = (FOR_EVERYBODY if role != "nobody" else {"/", "/sign-in"}) | FOR_ROLES.get(role, set())
        assert expected <= shapes, (role, expected - shapes)


GONE = {"/ask-for-access/form/x": 410}
"""What a used or old link says."""


def test_no_link_leads_nowhere(site: Site) -> None:
    broken = [
        f"{page} on {page.found_on}: {page.status}"
        for page in site.pages
        if page.status != GONE.get(page.url, 200)
    ]
    assert broken == []
    ids = {(page.role, page.url): page.document.ids for page in site.pages}
    for page in site.pages:
        for link in page.document.links:
            target, fragment = urldefrag(link)
            there = ids.get((page.role, target or page.url))
            assert not fragment or there is None or fragment in there, (str(page), link)


async def test_no_page_says_a_word_that_cannot_be_translated(system: RunningSystem, site: Site) -> None:
    """Every page once more, in brackets: what stands outside them is data, or no catalogue has it."""
    found = {str(page): texts for page, texts in await words_outside_brackets(system, site) if texts}
    assert found == {}


def test_pages_say_where_they_are_or_lead_back_and_never_both(site: Site) -> None:
    """Source: GOV.UK Design System, Back link and Breadcrumbs."""
    for page in (*site.pages, *site.others):
        crumbs, back = "govuk-breadcrumbs" in page.html, "govuk-back-link" in page.html
        assert not (crumbs and back), str(page)
    why = next(page for page in site.pages if page.shape == "/staff/people/{id}/why")
    person = why.url.removesuffix("/why")
    assert [link for link in why.document.links if link in ("/staff/people", person)][-2:] == [
        "/staff/people",
        person,
    ]


def test_links_outside_are_few_and_known(site: Site) -> None:
    assert [link for link in site.outside if not link.startswith(OUTSIDE)] == []


def test_each_page_has_one_heading_and_a_title_that_no_other_kind_has(site: Site) -> None:
    kinds: dict[tuple[str, str], set[str]] = defaultdict(set)
    for page in site.pages:
        assert len(page.document.headings) == 1, str(page)
        kinds[page.role, page.document.title].add(page.shape.partition("?")[0])
    assert {title: shapes for title, shapes in kinds.items() if len(shapes) > 1} == {}


def test_a_form_without_its_answers_says_what_is_missing_and_links_to_it(site: Site) -> None:
    answers = [page for page in site.others if page.sent is not None]
    assert len(answers) > 8
    for page in answers:
        assert (str(page), page.status) == (str(page), 400)
        assert page.document.title.startswith("Error: "), str(page)
        links = [link for link in page.document.links if link.startswith("#") and link != "#main-content"]
        assert links, str(page)
        assert {link[1:] for link in links} <= page.document.ids, str(page)


def test_the_html_is_valid(site: Site, tmp_path: Path) -> None:
    program = installed(Path("var") / "html-validator")
    documents = {str(page): page.html for page in site.of_each_kind(in_every_state=True)}
    assert complaints(program, documents, tmp_path) == []


def test_axe_finds_nothing_on_desk_and_phone(looks: list[Look]) -> None:
    assert [f"{look.page}: {each}" for look in looks for each in look.violations] == []


def test_enlarged_to_400_percent_nothing_is_cut_off_or_scrolled_sideways(looks: list[Look]) -> None:
    assert [f"{look.page}: {look.beyond_the_edge}" for look in looks if look.beyond_the_edge > 0] == []


def test_the_browser_complains_about_nothing(looks: list[Look]) -> None:
    assert [f"{look.page}: {each}" for look in looks for each in look.complaints] == []


def test_pages_are_light_and_ask_nobody_else(looks: list[Look]) -> None:
    for look in looks:
        assert len(look.hosts) == 1, (str(look.page), look.hosts)
        assert 0 < look.bytes < (FIRST_VIEW if look.first else LATER_PAGE), (str(look.page), look.bytes)


@pytest.mark.parametrize(("role", "path"), [(role, path) for role, paths in FORMS.items() for path in paths])
async def test_a_form_is_walked_by_tab_sent_by_enter_and_its_errors_lead_to_fields(
    site: Site, tabs: dict[str, Page], role: str, path: str
) -> None:
    page = tabs[role]
    keyboard = Keyboard(page)
    await page.goto(site.url + path)
    wanted = set(await page.evaluate(TO_BE_REACHED))
    reached, unseen = await keyboard.walk()
    assert wanted <= set(reached)
    assert unseen == []
    await page.goto(site.url + path)
    if path == "/choose-role":
        return  # a role is chosen already: there is no mistake to make
    await keyboard.tab_to("main form button[type=submit]")
    await page.keyboard.press("Enter")
    summary = page.locator(".govuk-error-summary")
    await expect(summary).to_be_focused()
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    focused = page.locator("main :is(input, select, textarea):focus")
    await expect(focused).to_have_count(1)


@pytest.mark.skipif(not THOROUGHLY, reason="CHECK_DATA_THOROUGHLY asks for every form")
@pytest.mark.timeout(900)
async def test_every_form_that_asks_is_sent_by_keyboard(browser: Browser, site: Site) -> None:
    """Also those inside of other pages, and those that are opened first."""
    answered = [page for page in site.of_each_kind(in_every_state=True) if page.sent is not None]
    asking = [page for page in answered if page.url != "/choose-role"]  # one is chosen: nothing is missing
    assert len(asking) >= 15
    for each in asking:
        async with await context_of(browser, site.url, site.cookies.get(each.role, {})) as context:
            tab, form = (
                await context.new_page(),
                f'form[action="{each.sent.action if each.sent else ""}"]',
            )
            await tab.goto(site.url + each.url)
            keyboard = Keyboard(tab)
            if await tab.locator(f"details:not([open]) {form}").count():
                await keyboard.tab_to(f"details:has({form}) > summary")
                await tab.keyboard.press("Enter")
            await keyboard.tab_to(f"main {form} button[type=submit]")
            await tab.keyboard.press("Enter")
            await expect(tab.locator(".govuk-error-summary"), str(each)).to_be_focused()


@pytest.mark.parametrize("path", ["/summary", "/participants"])
async def test_on_paper_there_is_what_is_read_and_nothing_that_is_pressed(
    site: Site, tabs: dict[str, Page], path: str
) -> None:
    page = tabs["delivery partner"]
    await page.goto(site.url + path)
    await page.emulate_media(media="print")
    try:
        await expect(page.locator("main table").first).to_be_visible()
        pressed = page.locator("main :is(button, input:not([type=hidden]), summary)").filter(visible=True)
        await expect(pressed).to_have_count(0)
        await expect(page.locator(".app-session__actions")).to_be_hidden()
        if path == "/summary":
            await expect(page.locator("svg.app-columns")).to_be_visible()
    finally:
        await page.emulate_media(media="screen")


async def test_the_first_tab_offers_to_skip_to_the_content(site: Site, tabs: dict[str, Page]) -> None:
    page = tabs["delivery partner"]
    await page.goto(f"{site.url}/participants")
    await page.keyboard.press("Tab")
    await expect(page.locator(".govuk-skip-link")).to_be_focused()
    await page.keyboard.press("Enter")
    await page.keyboard.press("Tab")
    assert (await page.evaluate(FOCUSED))["inMain"]


async def test_the_filter_is_worked_by_keyboard(site: Site, tabs: dict[str, Page]) -> None:
    page = tabs["delivery partner"]
    keyboard = Keyboard(page)
    await page.goto(f"{site.url}/participants")
    await keyboard.tab_to("main summary")
    await page.keyboard.press("Enter")
    await keyboard.tab_to("input[name=role][value=mentor]")
    await page.keyboard.press("Space")
    await page.keyboard.press("Enter")
    await expect(page).to_have_url(re.compile(r"/participants\?.*\brole=mentor\b"))
    await page.go_back()
    await expect(page).to_have_url(f"{site.url}/participants")

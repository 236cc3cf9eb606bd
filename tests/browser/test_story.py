"""The whole story in a real browser, with JavaScript and without, on a desk and on a phone."""

import csv
import io
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, expect

from tests.running import RunningSystem

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

NOMINEE = "otis.oyelaran@example.org"
DESK, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}


class Person:
    """One person with a browser of their own. Complains about what the browser complains about."""

    def __init__(self, context: BrowserContext, page: Page, url: str, screenshots: Path) -> None:
        self.page = page
        self._context = context
        self._url = url
        self._screenshots = screenshots
        self.complaints: list[str] = []
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _console(self, message: ConsoleMessage) -> None:
        # A page that answers 4xx is reported as a resource that failed to load: that is meant.
        if message.type == "error" and "status of 4" not in message.text:
            self.complaints.append(message.text)

    async def goto(self, path: str) -> None:
        await self.page.goto(self._url + path)

    async def press(self, name: str) -> None:
        await self.page.get_by_role("button", name=name, exact=True).click()

    async def sign_in(self, address: str) -> None:
        await self.goto(f"/dev/inbox?to={address}")
        before = await self._links()
        await self.goto("/sign-in")
        await self.page.get_by_label("Email address").fill(address)
        await self.page.locator("main button[type=submit]").click()
        await expect(self.page.get_by_role("heading", level=1)).to_have_text("Check your email")
        await self.open_link(address, before)

    async def open_link(self, address: str, before: list[str] | None = None) -> None:
        await self.follow_email(address, "/sign-in/link/", before)
        await self.page.locator("main button[type=submit]").click()
        if "/sign-in/second-factor" in self.page.url:
            await self._give_code(address)

    async def follow_email(self, address: str, to: str, before: list[str] | None = None) -> None:
        """Go where the newest link to such a page leads, in an email that may still be on its way."""
        for _ in range(400):
            await self.goto(f"/dev/inbox?to={address}")
            new = [link for link in await self._links(to) if link not in (before or [])]
            if new:
                break
            await self.page.wait_for_timeout(100)
        assert new, f"no email to {address} arrived"
        await self.page.goto(new[0])

    async def _give_code(self, address: str) -> None:
        """Look into the inbox, in another tab, for what the authenticator app would show."""
        await self.keep(f"second factor of {address.partition('@')[0]}")
        inbox = await self._context.new_page()
        for _ in range(90):
            await inbox.goto(f"{self._url}/dev/inbox")
            shown = inbox.locator(f"[data-code-of='{address}']")
            if await shown.get_attribute("data-wait") == "0":
                break
            await inbox.wait_for_timeout(1000)
        code = await shown.inner_text()
        await inbox.close()
        await self.page.get_by_label("Code", exact=True).fill(code)
        await self.press("Continue")

    async def _links(self, to: str = "/sign-in/link/") -> list[str]:
        return [
            str(await link.get_attribute("href"))
            for link in await self.page.locator(f"a[href*='{to}']").all()
        ]

    async def decide(self, choice: str, reason: str, button: str) -> None:
        await self.page.get_by_label(choice).check()
        await self.page.get_by_label("Reason", exact=True).fill(reason)
        await self.press(button)

    async def keep(self, name: str) -> None:
        await self.page.screenshot(path=self._screenshots / f"{name}.png", full_page=True)


@pytest.fixture(params=[(True, DESK), (False, PHONE)], ids=["desk with script", "phone without script"])
def people(
    request: pytest.FixtureRequest, browser: Browser, system: RunningSystem, screenshots: Path
) -> "People":
    script, size = request.param
    return People(browser, system, screenshots / ("desk" if script else "phone"), script, size)


class People:
    def __init__(
        self, browser: Browser, system: RunningSystem, screenshots: Path, script: bool, size: dict[str, int]
    ) -> None:
        self._browser = browser
        self._system = system
        self._screenshots = screenshots
        self._script = script
        self._size = size
        self.suffix = "desk" if script else "phone"

    @asynccontextmanager
    async def person(self) -> AsyncIterator[Person]:
        context = await self._browser.new_context(
            java_script_enabled=self._script,
            viewport=self._size,  # type: ignore[arg-type]
        )
        page = await context.new_page()
        person = Person(context, page, self._system.url, self._screenshots)
        yield person
        await context.close()
        assert person.complaints == []


async def test_from_nomination_to_download(people: People) -> None:
    address = f"{people.suffix}.{NOMINEE}"
    name = f"Otis Oyelaran {people.suffix}"
    async with people.person() as dana:
        await dana.goto("/")
        await dana.keep("01-start")
        await dana.sign_in("dana.whitfield@example.org")
        await dana.keep("02-choose-role")
        await dana.page.get_by_label("Fernhill Teaching School Hub").last.check()
        await dana.press("Continue")
        await expect(dana.page.get_by_role("heading", level=1)).to_have_text("Participants")
        await dana.goto("/access-requests/new")
        await dana.press("Send request")
        await expect(dana.page.get_by_role("heading", name="There is a problem")).to_be_visible()
        await dana.keep("03-errors")
        await dana.page.get_by_label("Full name").fill(name)
        await dana.page.get_by_label("Email address").fill(address)
        await dana.page.get_by_label("Why do they need access?").fill("Keeps our records in step.")
        await dana.press("Send request")
        await dana.goto("/access-requests")
        await dana.keep("04-access-requests")
    async with people.person() as sam:
        await sam.sign_in("sam.okoro@example.org")
        await sam.keep("05-queue")
        await sam.page.get_by_role("link", name=name).first.click()
        request_path = sam.page.url.split("/staff/")[1]
        await sam.decide("Pass on to policy", "Known to us.", "Save decision")
    async with people.person() as priya:
        await priya.sign_in("priya.raman@example.org")
        await priya.goto(f"/staff/{request_path}")
        await priya.keep("06-policy-check")
        await priya.page.locator("input[name=lead_provider_id]").first.check()
        await priya.decide("Ask the lead provider to confirm this person", "Covered.", "Save decision")
    async with people.person() as lena:
        await lena.sign_in("lena.fischer@example.org")
        await lena.keep("07-confirmations")
        await lena.page.get_by_role("link", name=f"Confirm or refuse {name}").click()
        await lena.keep("08-confirm")
        await lena.decide("Confirm", "She works there.", "Send answer")
    async with people.person() as nominee:
        await nominee.sign_in(address)
        await see_participants(nominee)
    async with people.person() as audrey:
        await audrey.sign_in("audrey.lin@example.org")
        await audrey.keep("14-audit")
        await expect(audrey.page.get_by_text(name).first).to_be_visible()


async def see_participants(nominee: Person) -> None:
    page = nominee.page
    await expect(page.get_by_role("heading", level=1)).to_have_text("Participants")
    await nominee.keep("09-participants")
    row = page.locator("a[href^='/participants/']").first
    name = (await row.inner_text()).strip()
    await page.get_by_label("Search by name, school or TRN").fill(name.upper())
    await nominee.press("Search")
    await expect(page.locator("a[href^='/participants/']").first).to_have_text(name)
    await nominee.keep("10-search")
    await page.locator("a[href^='/participants/']").first.click()
    await expect(page.get_by_role("heading", level=1)).to_have_text(name)
    await nominee.keep("11-one")
    await page.go_back()
    await nominee.goto("/participants?role=mentor")
    counted = page.get_by_role("heading", name=re.compile(r"^[\d,]+ participants?"))
    total = int((await counted.inner_text()).split()[0].replace(",", ""))
    await page.locator("form[action='/exports'] button").click()
    await nominee.keep("12-export")
    for _ in range(60):
        link = page.locator("a[href$='/download']")
        if await link.count():
            break
        await page.wait_for_timeout(300)
        await page.reload()
    await nominee.keep("13-export-ready")
    async with page.expect_download() as downloading:
        await link.first.click()
    file = await (await downloading.value).path()
    rows = list(csv.DictReader(io.StringIO(Path(file).read_bytes().decode())))  # noqa: ASYNC240
    assert len(rows) == total
    assert {row["role"] for row in rows} == {"Mentor"}

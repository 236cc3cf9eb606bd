"""People who work the pages, each in a browser of their own."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Error, Page, ViewportSize, expect

from tests.browser.conftest import SCREENSHOTS
from tests.browser.looking import DESK


class Person:
    """One person with a browser of their own. Complains about what the browser complains about."""

    def __init__(self, context: BrowserContext, page: Page, url: str) -> None:
        self.page = page
        self._context = context
        self._url = url
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
        inbox = await self._context.new_page()
        for _ in range(90):
            await inbox.goto(f"{self._url}/dev/inbox?to={address}")
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


class People:
    """script: whether their browsers run JavaScript. size: of their screens."""

    def __init__(self, browser: Browser, url: str, *, script: bool = True, size: ViewportSize = DESK) -> None:
        self._browser = browser
        self._url = url
        self._script = script
        self._size = size

    @asynccontextmanager
    async def person(self) -> AsyncIterator[Person]:
        """Whoever fails leaves a picture of what was to be seen."""
        context = await self._browser.new_context(java_script_enabled=self._script, viewport=self._size)
        person = Person(context, await context.new_page(), self._url)
        try:
            yield person
        except Exception:
            with suppress(Error):
                await person.page.screenshot(
                    path=SCREENSHOTS / f"failed-{time.time_ns()}.png", full_page=True
                )
            raise
        finally:
            await context.close()
        assert person.complaints == []

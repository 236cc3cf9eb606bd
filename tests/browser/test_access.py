"""Access from the sides of all who have a part in it, each in a browser of their own."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from tests.browser.test_story import DESK, People, Person
from tests.running import RunningSystem

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

FIRST, SECOND = "Ines Okafor", "Hugh Pemberton"


@pytest_asyncio.fixture(loop_scope="session")
async def people(browser: Browser, system: RunningSystem, screenshots: Path) -> AsyncIterator[People]:
    yield People(browser, system, screenshots / "access", True, DESK)


async def as_dana(dana: Person) -> None:
    await dana.sign_in("dana.whitfield@example.org")
    await dana.page.get_by_label("Fernhill Teaching School Hub").last.check()
    await dana.press("Continue")


async def nominate(dana: Person, name: str) -> None:
    await dana.goto("/access-requests/new")
    await dana.page.get_by_label("Full name").fill(name)
    address = f"{name.lower().replace(' ', '.')}@example.org"
    await dana.page.get_by_label("Email address").fill(address)
    await dana.page.get_by_label("Why do they need access?").fill("Keeps our records in step.")
    await dana.press("Send request")


async def test_each_role_takes_its_part(people: People) -> None:
    async with people.person() as dana, people.person() as sam:
        await as_dana(dana)
        for name in (FIRST, SECOND):
            await nominate(dana, name)
        asked = dana.page.url

        await sam.sign_in("sam.okoro@example.org")
        await sam.page.get_by_role("link", name=SECOND).first.click()
        await sam.decide("Send back for information", "In which team?", "Save decision")

        await dana.page.goto(asked)
        await expect(dana.page.get_by_text("In which team?")).to_be_visible()
        await dana.page.get_by_label("Your information").fill("In the data team.")
        await dana.press("Send information")
        await dana.keep("information-given")

        await sam.goto("/staff/access-requests/several")
        for name in (FIRST, SECOND):
            await sam.page.get_by_label(re.compile(name)).check()
        await sam.keep("triage-several")
        await sam.decide("Pass on to policy", "Both known to us.", "Decide on all that are selected")
        await expect(sam.page.get_by_text("Your decisions have been recorded.")).to_be_visible()

    async with people.person() as priya:
        await priya.sign_in("priya.raman@example.org")
        for name in (FIRST, SECOND):
            await priya.goto("/staff/access-requests?state=policy_check")
            await priya.page.get_by_role("link", name=name).first.click()
            await priya.page.locator("input[name=lead_provider_id]").first.check()
            await priya.decide("Ask the lead provider to confirm this person", "Covered.", "Save decision")
        await priya.goto("/staff/people/reviews/new")
        for field, year in (("due_until", "2040"), ("answer_by", "2039")):
            for part, value in (("day", "1"), ("month", "6"), ("year", year)):
                await priya.page.locator(f"[name={field}-{part}]").fill(value)

        async with people.person() as lena:
            await lena.sign_in("lena.fischer@example.org")
            await lena.goto("/lead-provider/confirmations/several")
            for name in (FIRST, SECOND):
                await lena.page.get_by_label(re.compile(name)).check()
            await lena.keep("confirm-several")
            await lena.decide("Confirm", "Both work there.", "Decide on all that are selected")
            await priya.press("Open review")
            await expect(priya.page.get_by_role("cell", name="1 June 2039")).to_be_visible()
            await lena.goto("/lead-provider/confirmations/reviews")
            await lena.page.get_by_role("link", name=f"Confirm or end the access of {FIRST}").click()
            await lena.decide("Still needed", "She works there.", "Send answer")
            await priya.page.reload()
            await priya.keep("review-progress")

    async with people.person() as dana:
        await as_dana(dana)
        await dana.goto("/access-requests/colleagues")
        await dana.page.get_by_role("link", name=re.compile(f"Has left.*{SECOND}")).click()
        await dana.page.get_by_label("When and why did their work with you end?").fill("Yesterday.")
        await dana.press("End access")
        await expect(dana.page.get_by_role("rowheader", name=FIRST)).to_be_visible()
        await expect(dana.page.get_by_role("rowheader", name=SECOND)).to_have_count(0)

    async with people.person() as audrey:
        await audrey.sign_in("audrey.lin@example.org")
        await audrey.goto(f"/staff/people?q={FIRST.replace(' ', '+')}")
        await audrey.page.get_by_role("link", name=FIRST).click()
        await audrey.page.get_by_role("link", name="Why this person has access").click()
        for fact in ("Confirmed by the lead provider", "Both work there.", "Confirmed in a review"):
            await expect(audrey.page.get_by_text(fact).first).to_be_visible()
        await audrey.keep("why")

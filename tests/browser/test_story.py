"""The stories of all who have a part in them, in a real browser, each in one of their own."""

import csv
import io
import re
from pathlib import Path

import pytest
from playwright.async_api import Browser, Route, ViewportSize, expect

from tests.browser.looking import DESK, PHONE
from tests.browser.people import People, Person
from tests.running import RunningSystem

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

NOMINEE = "otis.oyelaran@example.org"
FIRST, SECOND = "Ines Okafor", "Hugh Pemberton"


@pytest.fixture
def people(browser: Browser, system: RunningSystem) -> People:
    return People(browser, system.url)


@pytest.mark.parametrize(
    ("where", "script", "size"),
    [("desk", True, DESK), ("phone", False, PHONE)],
    ids=["desk with script", "phone without"],
)
async def test_from_nomination_to_download(
    browser: Browser, system: RunningSystem, where: str, script: bool, size: ViewportSize
) -> None:
    """With scripts on a desk, and without on a phone."""
    people = People(browser, system.url, script=script, size=size)
    address = f"{where}.{NOMINEE}"
    name = f"Otis Oyelaran {where}"
    async with people.person() as dana:
        await dana.goto("/")
        await dana.sign_in("dana.whitfield@example.org")
        await dana.page.get_by_label("Fernhill Teaching School Hub").last.check()
        await dana.press("Continue")
        await expect(dana.page.get_by_role("heading", level=1)).to_have_text("Participants")
        await dana.goto("/access-requests/new")
        await dana.press("Send request")
        await expect(dana.page.get_by_role("heading", name="There is a problem")).to_be_visible()
        await dana.page.get_by_label("Full name").fill(name)
        await dana.page.get_by_label("Email address").fill(address)
        await dana.page.get_by_label("Why do they need access?").fill("Keeps our records in step.")
        await dana.press("Send request")
        await dana.goto("/access-requests")
    async with people.person() as sam:
        await sam.sign_in("sam.okoro@example.org")
        await sam.page.get_by_role("link", name=name).first.click()
        request_path = sam.page.url.split("/staff/")[1]
        await sam.decide("Pass on to policy", "Known to us.", "Save decision")
    async with people.person() as priya:
        await priya.sign_in("priya.raman@example.org")
        await priya.goto(f"/staff/{request_path}")
        await priya.page.locator("input[name=lead_provider_id]").first.check()
        await priya.decide("Ask the lead provider to confirm this person", "Covered.", "Save decision")
    async with people.person() as lena:
        await lena.sign_in("lena.fischer@example.org")
        await lena.page.get_by_role("link", name=f"Confirm or refuse {name}").click()
        await lena.decide("Confirm", "She works there.", "Send answer")
    async with people.person() as nominee:
        await nominee.sign_in(address)
        await see_participants(nominee)
    async with people.person() as audrey:
        await audrey.sign_in("audrey.lin@example.org")
        await expect(audrey.page.get_by_text(name).first).to_be_visible()


async def see_participants(nominee: Person) -> None:
    page = nominee.page
    await expect(page.get_by_role("heading", level=1)).to_have_text("Participants")
    row = page.locator("a[href^='/participants/']").first
    name = (await row.inner_text()).strip()
    await page.get_by_label("Search by name, school or TRN").fill(name.upper())
    await nominee.press("Search")
    await expect(page.locator("a[href^='/participants/']").first).to_have_text(name)
    await page.locator("a[href^='/participants/']").first.click()
    await expect(page.get_by_role("heading", level=1)).to_have_text(name)
    await page.go_back()
    await nominee.goto("/participants?role=mentor")
    counted = page.get_by_role("heading", name=re.compile(r"^[\d,]+ participants?"))
    total = int((await counted.inner_text()).split()[0].replace(",", ""))
    await page.locator("form[action='/exports'] button").click()
    for _ in range(60):
        link = page.locator("a[href$='/download']")
        if await link.count():
            break
        await page.wait_for_timeout(300)
        await page.reload()
    async with page.expect_download() as downloading:
        await link.first.click()
    file = await (await downloading.value).path()
    rows = list(csv.DictReader(io.StringIO(Path(file).read_bytes().decode())))  # noqa: ASYNC240
    assert len(rows) == total
    assert {row["role"] for row in rows} == {"Mentor"}


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

        await sam.goto("/staff/access-requests/several")
        for name in (FIRST, SECOND):
            await sam.page.get_by_label(re.compile(name)).check()
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
            await lena.decide("Confirm", "Both work there.", "Decide on all that are selected")
            await priya.press("Open review")
            await expect(priya.page.get_by_role("cell", name="1 June 2039")).to_be_visible()
            await lena.goto("/lead-provider/confirmations/reviews")
            await lena.page.get_by_role("link", name=f"Confirm or end the access of {FIRST}").click()
            await lena.decide("Still needed", "She works there.", "Send answer")
            await priya.page.reload()

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


async def test_who_has_no_access_asks_for_it(people: People) -> None:
    async with people.person() as olu, people.person() as tess:
        await olu.goto("/")
        await olu.page.get_by_role("link", name="ask for access yourself").click()
        await olu.page.get_by_label("Work email address").fill("olu.adebayo@example.org")
        await olu.press("Email me the form")
        await expect(olu.page.get_by_role("heading", name="Check your email", level=1)).to_be_visible()
        await olu.follow_email("olu.adebayo@example.org", "/ask-for-access/form/")
        await olu.page.get_by_label("Full name").fill("Olu Adebayo")
        await olu.page.get_by_label("Which organisation").select_option(
            label="Fernhill Teaching School Hub (delivery partner)"
        )
        await olu.page.get_by_label("Why do you need access?").fill("I keep the records of our hub.")
        form = olu.page.url
        await olu.press("Send request")
        await expect(olu.page.get_by_role("heading", name="Your request has been sent")).to_be_visible()
        await olu.page.goto(form)
        await expect(olu.page.get_by_role("heading", name="This link cannot be used")).to_be_visible()

        await tess.sign_in("tess.lindqvist@example.org")
        await tess.page.get_by_label("Search by name").fill("olu fernhill")
        await tess.press("Search")
        await tess.page.get_by_role("link", name="Olu Adebayo").click()
        await expect(tess.page.get_by_text("By themself")).to_be_visible()


async def test_an_administrator_looks_after_contacts_and_reads_the_audit(people: People) -> None:
    async with people.person() as alex:
        await alex.sign_in("alex.brandt@example.org")
        await alex.goto("/staff/people/new-contact")
        await alex.page.get_by_label("Full name").fill("Petra Lang")
        await alex.page.get_by_label("Email address").fill("petra.lang@example.org")
        await alex.page.get_by_label("Lead provider").select_option(index=1)
        await alex.press("Add contact")
        await alex.goto("/staff/people?q=petra.lang@example.org")
        await alex.page.get_by_role("link", name="Petra Lang").click()
        await alex.page.get_by_role("link", name="End access").first.click()
        await alex.page.get_by_label("Reason").fill("Left the lead provider.")
        await alex.press("End access")
        await expect(alex.page.get_by_text("Left the lead provider.")).to_be_visible()
        await alex.page.get_by_role("link", name="What they did, and what was done about them").click()
        await expect(alex.page.get_by_text("Petra Lang").first).to_be_visible()


async def test_the_end_of_a_session_is_warned_of_without_javascript_and_what_is_typed_stays(
    browser: Browser, system: RunningSystem
) -> None:
    """The stylesheet of the page waits 28 minutes; here two seconds."""
    without_script = People(browser, system.url, script=False)

    async def sooner(route: Route) -> None:
        answer = await route.fetch()
        style, replaced = re.subn(r"\b\d+s forwards", "2s forwards", await answer.text())
        assert replaced == 1
        await route.fulfill(response=answer, body=style)

    async with without_script.person() as marcus:
        await marcus.sign_in("marcus.bell@example.org")
        warning = marcus.page.get_by_text("You will be signed out at")
        await expect(marcus.page.locator(".app-ends")).to_be_attached()
        await marcus.page.wait_for_timeout(2_500)
        await expect(warning).to_be_hidden()
        await marcus.page.route("**/session-warning/*.css", sooner)
        await marcus.goto("/access-requests/new")
        await marcus.page.get_by_label("Full name").fill("Half a name")
        await expect(warning).to_be_hidden()
        await expect(warning).to_be_visible()
        await expect(marcus.page.get_by_label("Full name")).to_have_value("Half a name")
        async with marcus.page.expect_popup() as opening:
            await marcus.page.get_by_role("link", name="Stay signed in").click()
        await expect((await opening.value).get_by_role("heading", level=1)).to_be_visible()
        await expect(marcus.page.get_by_label("Full name")).to_have_value("Half a name")


async def test_support_signs_somebody_out(people: People) -> None:
    async with people.person() as marcus, people.person() as tess:
        await marcus.sign_in("marcus.bell@example.org")
        await tess.sign_in("tess.lindqvist@example.org")
        await tess.goto("/staff/people?q=marcus.bell@example.org")
        await tess.page.get_by_role("link", name="Marcus Bell").click()
        await tess.page.get_by_role("link", name="Whether they are signed in").click()
        await expect(tess.page.get_by_text("They are signed in on")).to_be_visible()
        await tess.press("Sign out everywhere")
        await expect(tess.page.get_by_text("This person has been signed out everywhere.")).to_be_visible()
        await marcus.page.reload()
        await expect(marcus.page).to_have_url(re.compile("/sign-in"))
        await tess.page.get_by_role("link", name="Whether they are signed in").click()
        await expect(tess.page.get_by_text("They are not signed in.")).to_be_visible()


async def test_support_uploads_a_list_of_first_users(people: People) -> None:
    lines = (
        "full_name,email,organisation,role\nZoë Núñez,zoe.nunez@example.org,Fernhill Teaching School Hub,\n"
    )
    async with people.person() as tess:
        await tess.sign_in("tess.lindqvist@example.org")
        await tess.goto("/staff/access-requests/import")
        await tess.page.get_by_label("Whose list is it?").fill("Of the lead provider, today.")
        for raw in (lines.encode("latin-1"), lines.encode("utf-8-sig")):
            upload = {"name": "users.csv", "mimeType": "text/csv", "buffer": raw}
            await tess.page.locator("input[type=file]").set_input_files(upload)  # type: ignore[arg-type]
            await tess.press("Check the lines")
            if b"\xf1" in raw[:60]:
                told = tess.page.get_by_role("link", name="Line 2 of the file is not in UTF-8")
                await expect(told).to_be_visible()
        await expect(tess.page.get_by_text("Nothing has been changed yet.")).to_be_visible()
        await tess.press("Import the new lines")
        await expect(tess.page.get_by_text("The new ones have been imported.")).to_be_visible()
        await tess.goto("/staff/access-requests?q=zoe.nunez")
        await expect(tess.page.get_by_role("link", name="Zoë Núñez")).to_be_visible()

"""The whole story, by the pages alone: wherever the system runs."""

import asyncio
import csv
import io
import json
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import httpx

from tests.running import Page, RunningSystem, Visitor

PARTNER = "Fernhill Teaching School Hub"
NOMINEE = "nia.novak@example.org"
Watch = Callable[[float], Awaitable[None]]


async def dana_of_the_partner(url: str) -> Visitor:
    """Leads the delivery partner, and is signed in as that (not as the appropriate body)."""
    visitor = Visitor(url)
    page = await visitor.sign_in("dana.whitfield@example.org")
    assert page.path == "/choose-role"
    grants = re.findall(
        r'(?s)name="grant_id"[^>]*value="([^"]+)".*?<div[^>]*hint[^>]*>\s*(.*?)\s*</div>',
        page.response.text,
    )
    grant = next(value for value, role in grants if role == "Delivery partner")
    page = await visitor.submit(page, "/choose-role", grant_id=grant)
    assert page.path == "/participants"
    return visitor


async def nominate(visitor: Visitor, full_name: str, email: str) -> str:
    """Returns the address of the request's page."""
    page = await visitor.submit(
        await visitor.get("/access-requests/new"),
        "/access-requests/new",
        full_name=full_name,
        email=email,
        reason="Keeps our records in step.",
    )
    (own,) = set(page.links(r"/access-requests/[0-9a-f-]{36}")) or {page.path}
    return own


async def decide(visitor: Visitor, page: Page, action: str, reason: str, **fields: str) -> Page:
    return await visitor.submit(page, action, decision="approve", reason=reason, **fields)


async def from_nomination_to_download(url: str, dana: Visitor, until_granted: Watch) -> None:
    """One nominee's way in, through everybody's hands, and out with a file; all of it in the audit.

    until_granted: called when the last yes was said, with the moment before it.
    """
    own = await nominate(dana, "Nia Novak", "Nia.Novak@Example.org")
    request_id = own.rsplit("/", 1)[-1]

    sam = Visitor(url)
    page = await sam.sign_in("sam.okoro@example.org")
    assert page.path == "/staff/access-requests"
    there = f"/staff/access-requests/{request_id}"
    page = await decide(sam, await sam.get(there), f"{there}/triage", "Known to us.")
    assert "Waiting for the policy check" in page.text or "policy" in page.text.lower()
    again = await sam.http.post(f"{there}/policy-check", data={**page_token(page), "decision": "approve"})
    assert again.status_code in {403, 409}, "nobody decides two steps"

    priya = Visitor(url)
    await priya.sign_in("priya.raman@example.org")
    page = await priya.get(there)
    assert "What the agreement register says" in page.text
    provider = re.findall(r'name="lead_provider_id"[^>]*value="([0-9a-f-]{36})"', page.response.text)[0]
    lena = Visitor(url)
    older = await lena.links("lena.fischer@example.org")
    await decide(priya, page, f"{there}/policy-check", "Covered.", lead_provider_id=provider)

    page = await lena.open_link("lena.fischer@example.org", besides=older)
    assert page.path == "/lead-provider/confirmations"
    assert "Nia Novak" in page.text
    here = f"/lead-provider/confirmations/{request_id}"
    page = await lena.get(here)
    started = time.perf_counter()
    await decide(lena, page, here, "She works there.")
    await until_granted(started)

    nia = Visitor(url)
    await nia.wait_for_email(NOMINEE, "/sign-in")
    page = await nia.sign_in(NOMINEE)
    assert page.path == "/participants"
    assert PARTNER in page.text
    await list_search_and_download(nia)

    audrey = Visitor(url)
    await audrey.sign_in("audrey.lin@example.org")
    audit = await audrey.get("/staff/audit")
    assert "Nia Novak" in audit.text
    for visitor in (sam, priya, lena, nia, audrey):
        await visitor.close()


def page_token(page: Page) -> dict[str, str]:
    found = re.search(r'name="form_proof" value="([^"]+)"', page.response.text)
    assert found
    return {"form_proof": found[1]}


@asynccontextmanager
async def calls_with_tokens_of(
    system: RunningSystem, visitor: Visitor
) -> AsyncIterator[Callable[[], Awaitable[dict[str, int]]]]:
    """Calls each service with an internal token of the visitor's session, as the gateway got it just now.

    Returns the status by service. 403 is a token that was believed, of somebody who may not do that.
    """
    environment = json.loads((system.home / "environment" / "gateway.json").read_text())
    urls = {name: environment[f"CHECK_DATA_{name.upper()}_URL"] for name in PATHS}
    async with httpx.AsyncClient() as http:
        secret = ("gateway", environment["CHECK_DATA_SERVICE_SECRET"])
        own = await http.post(f"{urls['auth']}/tokens", json={"audience": "auth"}, auth=secret)
        session = next(value for name, value in visitor.http.cookies.items() if name.endswith("session"))
        answer = await http.post(
            f"{urls['auth']}/sessions/exchange",
            json={"session": session, "audiences": list(PATHS)},
            headers={"authorization": f"Bearer {own.json()['token']}"},
        )
        tokens = answer.json()["tokens"]

        async def calls() -> dict[str, int]:
            answers = {
                name: await http.get(urls[name] + path, headers={"authorization": f"Bearer {tokens[name]}"})
                for name, path in PATHS.items()
            }
            return {name: answer.status_code for name, answer in answers.items()}

        yield calls


PATHS = {
    "auth": "/emails/undelivered",
    "access": "/requests",
    "participants": "/participants",
    "export": "/exports",
}
"""Something to read in each service that people's tokens are for."""


async def list_search_and_download(nia: Visitor) -> None:
    page = await nia.get("/participants")
    everybody = total_of(page)
    assert everybody > 20
    first = page.links(r"/participants/[0-9a-f-]{36}")[0]
    one = await nia.get(first)
    assert one.status == 200
    name = one.heading
    found = await nia.get("/participants", q=" ".join(reversed(name.split())).upper())
    assert name in found.text
    for query in (
        {},
        {"role": ["mentor"]},
        {"status": ["training_or_eligible_for_training"], "role": ["ect"]},
    ):
        page = await nia.get("/participants", **query)
        total = total_of(page)
        assert 0 < total <= everybody
        rows = await download(nia, page)
        assert len(rows) == total, query
        assert set(rows[0]) == set(COLUMNS)


COLUMNS = [
    "full_name",
    "email_address",
    "trn",
    "role",
    "lead_provider",
    "school",
    "school_unique_reference_number",
    "academic_year",
    "training_status",
    "status",
]


def total_of(page: Page) -> int:
    found = re.search(r"([\d,]+) participants?\b", page.text)
    assert found, page.text[:500]
    return int(found[1].replace(",", ""))


async def download(visitor: Visitor, page: Page) -> list[dict[str, str]]:
    page = await visitor.submit(page, "/exports")
    until = time.monotonic() + 30
    while not page.links(r"/exports/[0-9a-f-]{36}/download"):
        assert time.monotonic() < until, page.text
        await asyncio.sleep(0.05)  # what is asked for all the time has less time for the file
        page = await visitor.get(page.path)
    file = await visitor.get(page.links(r"/exports/[0-9a-f-]{36}/download")[0])
    assert file.response.headers["content-disposition"].startswith("attachment")
    return list(csv.DictReader(io.StringIO(file.response.content.decode())))

"""After people walked through everything: no token and no personal data where none belongs.

Looked at: logs, metrics, spans, error pages, all tables of all databases, all of Redis. (The development
inbox stands for people's mailboxes: it is not looked at.)
"""

import asyncio
import csv
import io
import json
import os
import re
import sys
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import pytest_asyncio
from redis.asyncio import Redis

from services.access.demo import DEMO_PEOPLE
from shared.clock import london_day, system_clock
from tests.end_to_end.story import PARTNER, calls_with_tokens_of, dana_of_the_partner
from tests.running import Page, RunningSystem, Visitor
from tests.security.canaries import Canaries, of_bus, of_databases, of_logs, of_metrics, of_traces
from tests.watch import environments

STEPS = (b"POST /links/redeem", b"GET /participants", b"append")
TOLD_SECONDS = 30.0

pytestmark = [pytest.mark.end_to_end, pytest.mark.timeout(600)]

MOMENT, TIME = re.compile(r"until=\d+"), re.compile(r"until \d+:\d\d[ap]m")
"""Ten minutes from when somebody asked, for whichever address: the three may be of two minutes."""

SHORTEST_NAME = 8
"""Shorter names are also words."""


@dataclass(slots=True)
class Walk:
    canaries: Canaries
    environments: Mapping[str, Mapping[str, str]]
    pages_of_errors: list[Page] = field(default_factory=list)
    seconds_to_the_end: float = 0.0
    """From the click that ended somebody's access to the first page that they were refused."""
    seconds_to_the_end_everywhere: float = 0.0
    """The same, until every service refused a token that was given out before."""
    seconds_from_the_end_of_the_agreement: float = 0.0
    """From the click that ended the last agreement to the first page that was refused."""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def walk(system: RunningSystem) -> Walk:
    """A user searches, looks, downloads; staff sign in, look people up, and end the user's access."""
    walk = Walk(Canaries(), environments(system.home))
    marcus, sam, stranger = (Visitor(system.url) for _ in range(3))
    await marcus.sign_in("marcus.bell@example.org")
    rows = await _download(marcus)
    for row in rows:
        walk.canaries.people |= {row["email_address"], row["trn"], row["full_name"]}
    await marcus.get("/participants", q=rows[0]["full_name"])
    await marcus.get("/participants", q=rows[0]["trn"])
    first = (await marcus.get("/participants")).links(r"/participants/[0-9a-f-]{36}")[0]
    await marcus.get(first)
    await sam.sign_in("sam.okoro@example.org")
    person = set(
        (await sam.get("/staff/people", q="marcus.bell@example.org")).links(r"/staff/people/[^\"?]+")
    )
    there = next(path for path in person if re.fullmatch(r"/staff/people/[0-9a-f-]{36}", path))
    await _strange_things(stranger, walk, rows[0])
    for visitor in (marcus, sam):  # before the end: their sessions are good still
        walk.canaries.tokens |= {value for value in visitor.http.cookies.values() if value}
    async with calls_with_tokens_of(system, marcus) as calls:
        assert 401 not in (await calls()).values()
        started = time.perf_counter()
        walk.seconds_to_the_end, clicked = await _end_access(sam, there, marcus)
        while set((await calls()).values()) != {401}:
            assert time.perf_counter() - started < 30
        walk.seconds_to_the_end_everywhere = time.perf_counter() - clicked
    walk.seconds_from_the_end_of_the_agreement = await _end_last_agreement(system)
    for address in ("marcus.bell@example.org", "sam.okoro@example.org"):
        walk.canaries.tokens |= {link.rsplit("/", 1)[-1] for link in await sam.links(address)}
    for file in (system.home / "inbox" / "second-factors").glob("*.json"):
        walk.canaries.tokens.add(json.loads(file.read_text())["secret"])
    for demo in (DEMO_PEOPLE.second_user, DEMO_PEOPLE.support, DEMO_PEOPLE.lead, DEMO_PEOPLE.contact):
        walk.canaries.people |= {demo.full_name, demo.email}
    walk.canaries.people = {text for text in walk.canaries.people if len(text) >= SHORTEST_NAME - 1}
    for visitor in (marcus, sam, stranger):
        await visitor.close()
    assert len(walk.canaries.tokens) >= 7
    assert len(walk.canaries.people) > 20
    return walk


async def _download(visitor: Visitor) -> list[dict[str, str]]:
    page = await visitor.submit(await visitor.get("/participants"), "/exports")
    until = time.monotonic() + 60
    while not (files := page.links(r"/exports/[0-9a-f-]{36}/download")):
        assert time.monotonic() < until
        await asyncio.sleep(0.2)
        page = await visitor.get(page.path)
    file = await visitor.get(files[0])
    return list(csv.DictReader(io.StringIO(file.response.content.decode("utf-8-sig"))))


async def _strange_things(stranger: Visitor, walk: Walk, row: Mapping[str, str]) -> None:
    """Pages that say no, asked for with canaries in their addresses and forms."""
    false = "canary-token-that-opens-nothing"
    walk.canaries.tokens.add(false)
    page = await stranger.get(f"/sign-in/link/{false}")
    walk.pages_of_errors += [
        await stranger.submit(page, f"/sign-in/link/{false}"),
        await stranger.get(f"/nowhere/{row['trn']}/{false}"),
        await stranger.get("/participants/not-an-id", q=row["full_name"]),
        Page(await stranger.http.post("/sign-in", data={"email": row["email_address"]})),
        Page(await stranger.http.post(f"/exports/{false}/download")),
    ]
    await stranger.submit(await stranger.get("/sign-in"), "/sign-in", email=row["email_address"])


async def _end_access(sam: Visitor, there: str, marcus: Visitor) -> tuple[float, float]:
    """End the user's access. Returns the seconds until a page is refused, and the moment of the click."""
    page = await sam.get(there)
    ends = page.links(rf"{there}/grants/[0-9a-f-]{{36}}/end")
    assert len(ends) == 1
    form = await sam.get(ends[0])
    assert (await marcus.get("/participants")).path == "/participants"
    fields = {**form.form(ends[0]), "reason": "Left the organisation."}
    clicked = time.perf_counter()
    return await _seconds_until_refused(sam, ends[0], fields, marcus), clicked


async def _end_last_agreement(system: RunningSystem) -> float:
    """End the one agreement in force of an organisation whose lead is at work."""
    dana, priya = await dana_of_the_partner(system.url), Visitor(system.url)
    await priya.sign_in("priya.raman@example.org")
    rows = re.findall(r"(?s)<tr.*?</tr>", (await priya.get("/staff/agreements")).response.text)
    in_force = [row for row in rows if PARTNER in row and "Not in force" not in row]
    ends = re.findall(r'href="(/staff/agreements/[0-9a-f-]{36}/end)"', "".join(in_force))
    assert len(ends) == 1
    today = london_day(system_clock())
    fields = {
        **(await priya.get(ends[0])).form(ends[0]),
        "ended_early_on-day": str(today.day),
        "ended_early_on-month": str(today.month),
        "ended_early_on-year": str(today.year),
        "reason": "They parted.",
    }
    seconds = await _seconds_until_refused(priya, ends[0], fields, dana)
    for visitor in (dana, priya):
        await visitor.close()
    return seconds


async def _seconds_until_refused(
    staff: Visitor, where: str, fields: Mapping[str, str], user: Visitor
) -> float:
    started = time.perf_counter()
    answer = await staff.http.post(where, data=fields, follow_redirects=False)
    assert answer.status_code == 303
    while (await user.get("/participants")).path != "/sign-in":
        assert time.perf_counter() - started < 30
    return time.perf_counter() - started


def test_who_is_suspended_is_refused_within_a_second(walk: Walk) -> None:
    assert walk.seconds_to_the_end < 1.0


def test_tokens_of_who_is_suspended_are_refused_in_every_service_within_a_second(walk: Walk) -> None:
    assert walk.seconds_to_the_end_everywhere < 1.0


def test_whose_last_agreement_ends_is_refused_within_a_second(walk: Walk) -> None:
    assert walk.seconds_from_the_end_of_the_agreement < 1.0


async def test_every_address_gets_the_same_page(system: RunningSystem, walk: Walk) -> None:
    """Known, unknown, and the one whose access has just ended."""
    assert walk.seconds_to_the_end
    seen = set()
    for address in ("dana.whitfield@example.org", "nobody.at.all@example.org", "marcus.bell@example.org"):
        visitor = Visitor(system.url)
        form = (await visitor.get("/sign-in")).form("/sign-in")
        answer = await visitor.http.post("/sign-in", data={**form, "email": address}, follow_redirects=False)
        page = await visitor.get(answer.headers["location"])
        headers = sorted(name for name in (*answer.headers, *page.response.headers))
        location, moment = MOMENT.sub("until=…", answer.headers["location"]), TIME.sub("until …", page.text)
        seen.add((answer.status_code, location, page.status, moment, *headers))
        await visitor.close()
    assert len(seen) == 1


def test_no_log_holds_a_token_or_personal_data(system: RunningSystem, walk: Walk) -> None:
    assert of_logs(system.home / "log", walk.canaries) == []


async def test_no_metric_holds_a_token_or_personal_data(walk: Walk) -> None:
    assert await of_metrics(walk.environments, walk.canaries) == []


async def test_no_span_holds_a_token_or_personal_data(system: RunningSystem, walk: Walk) -> None:
    async with asyncio.timeout(TOLD_SECONDS):  # services tell their spans some at a time
        while not all(name in b"".join(system.traces) for name in STEPS):
            await asyncio.sleep(0.2)
    assert of_traces(system.traces, walk.canaries) == []


def test_no_error_page_repeats_what_it_was_asked_with(walk: Walk) -> None:
    statuses = {page.status for page in walk.pages_of_errors}
    assert {410, 404, 403} <= statuses
    for page in walk.pages_of_errors:
        if page.status >= 400:
            body = page.response.text
            assert not walk.canaries.all_in(body), page.status


async def test_nothing_at_rest_holds_a_token(walk: Walk) -> None:
    assert await of_databases(walk.environments, walk.canaries) == []


@pytest_asyncio.fixture(loop_scope="session")
async def bus(walk: Walk) -> AsyncIterator[Redis]:
    redis: Redis = Redis.from_url(walk.environments["auth"]["CHECK_DATA_REDIS_URL"])
    yield redis
    await redis.aclose()


async def test_the_bus_holds_personal_data_only_where_a_contract_says_so(walk: Walk, bus: Redis) -> None:
    assert await of_bus(bus, walk.canaries) == []


async def test_the_scan_finds_what_is_put_there_on_purpose(walk: Walk, bus: Redis, tmp_path: Path) -> None:
    """Else an empty answer would say nothing."""
    token = next(iter(walk.canaries.tokens))
    person = DEMO_PEOPLE.second_user
    (tmp_path / "auth.log").write_text(
        json.dumps({"event": "link_redeemed", "url": f"/sign-in/link/{token}"})
    )
    assert [finding.where for finding in of_logs(tmp_path, walk.canaries)] == ["auth.log"]
    event = {"type": "auth.signed-in.v1", "data": {"session_id": person.email}}
    await bus.xadd("planted", {"__data__": json.dumps(event)})
    await bus.set("planted-too", token)
    found = {(finding.where, finding.canary) for finding in await of_bus(bus, walk.canaries, "planted*")}
    await bus.delete("planted", "planted-too")
    assert found == {("planted auth.signed-in.v1", person.email), ("planted-too", token)}
    only_links = {"auth": walk.environments["auth"]}
    known = Canaries(tokens={person.full_name})  # it is in the table of people, so the search reads tables
    assert {f.where for f in await of_databases(only_links, known)} >= {"auth.people"}


async def test_who_is_erased_is_nowhere_any_more(system: RunningSystem, walk: Walk, bus: Redis) -> None:
    """Their access has ended; they were emailed, looked for, talked about. The last test: it is for good."""
    person = DEMO_PEOPLE.second_user
    known = Canaries(tokens={person.full_name, person.email})
    before = {finding.where for finding in await of_databases(walk.environments, known)}
    assert before >= {"access.events", "access.people", "auth.people"}
    words = ("access", "erase", person.email, "--why", "Asked for it")
    done = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "services", *words, env={**os.environ, "CHECK_DATA_HOME": str(system.home)}
    )
    assert await done.wait() == 0
    until = time.monotonic() + 30
    while found := await of_databases(walk.environments, known):
        assert time.monotonic() < until, found
        await asyncio.sleep(0.2)
    for service in walk.environments:
        assert not known.all_in((system.home / "log" / f"{service}.log").read_text())
    async for key in bus.scan_iter():
        if await bus.type(key) == b"stream":
            assert not known.all_in(repr(await bus.xrange(key))), key
    stranger, audrey = Visitor(system.url), Visitor(system.url)
    await stranger.submit(await stranger.get("/sign-in"), "/sign-in", email=person.email)
    await audrey.sign_in("audrey.lin@example.org")
    page = await audrey.get("/staff/audit")
    assert re.search(r"Name and address of person [0-9a-f-]{36} were erased", page.text)
    assert person.full_name not in page.text
    for visitor in (stranger, audrey):
        await visitor.close()

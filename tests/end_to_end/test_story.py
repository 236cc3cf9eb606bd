"""The whole story, over HTTP, with every service as a process of its own."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator

import asyncpg
import httpx
import pytest

from benchmarks.load.playing import Size, play
from benchmarks.load.visiting import LIST, SIGN_IN
from tests.end_to_end.release_before import beside, commit_before_newest_migration
from tests.end_to_end.story import (
    NOMINEE,
    calls_with_tokens_of,
    dana_of_the_partner,
    decide,
    download,
    from_nomination_to_download,
    nominate,
    page_token,
    total_of,
)
from tests.running import Page, RunningSystem, Visitor
from tests.watch import environments

pytestmark = [pytest.mark.end_to_end, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
async def dana(system: RunningSystem) -> AsyncIterator[Visitor]:
    visitor = await dana_of_the_partner(system.url)
    yield visitor
    await visitor.close()


@pytest.fixture(scope="module")
async def marcus(system: RunningSystem) -> AsyncIterator[Visitor]:
    """Of another delivery partner."""
    visitor = Visitor(system.url)
    assert (await visitor.sign_in("marcus.bell@example.org")).path == "/participants"
    yield visitor
    await visitor.close()


async def test_from_nomination_to_download(system: RunningSystem, dana: Visitor) -> None:
    async def within_a_second(started: float) -> None:
        assert await seconds_until_granted(system, NOMINEE, started) < 1.0

    await from_nomination_to_download(system.url, dana, within_a_second)


async def seconds_until_granted(system: RunningSystem, address: str, started: float) -> float:
    """Until auth, which lets people in, knows of the grant."""
    environment = json.loads((system.home / "environment" / "auth.json").read_text())
    connection = await asyncpg.connect(environment["CHECK_DATA_OWNER_DATABASE_URL"])
    query = "SELECT count(*) FROM grants JOIN people USING (person_id) WHERE email_key = $1"
    try:
        while not await connection.fetchval(query, address):
            assert time.perf_counter() - started < 30
            await asyncio.sleep(0.01)
    finally:
        await connection.close()
    return time.perf_counter() - started


async def test_limits_are_told_before_and_the_email_is_a_way_to_a_page_that_needs_a_session(
    system: RunningSystem, marcus: Visitor
) -> None:
    page = await marcus.get("/participants?role=mentor")
    assert "You can have 5 files being made at a time" in page.text
    assert "60 in an hour" in page.text
    assert "1,000,000 people" in page.text
    assert "You have 0 of 5 files being made" in (await marcus.get("/exports")).text
    asked, file = await file_of(marcus, page, email_when_ready="yes", format="xlsx")
    assert "Excel workbook" in asked.text
    assert file.startswith(b"PK")
    address = "marcus.bell@example.org"
    await marcus.wait_for_email(address, "Your file is ready")
    assert asked.path in await marcus.inbox(address)
    stranger = Visitor(system.url)
    assert (await stranger.get(asked.path)).path.startswith("/sign-in")
    await stranger.close()


async def file_of(visitor: Visitor, page: Page, **wish: str) -> tuple[Page, bytes]:
    """The page of a file that was asked for and is ready, and the file."""
    asked = await visitor.submit(page, "/exports", **wish)
    until = time.monotonic() + 30
    while not (links := asked.links(r"/exports/[0-9a-f-]{36}/download")):
        assert time.monotonic() < until, asked.text
        assert (
            '<noscript><meta http-equiv="refresh"' in asked.response.text
        )  # it looks again without scripts too
        asked = await visitor.get(asked.path)
    return asked, (await visitor.get(links[0])).response.content


async def test_a_list_is_taken_as_parquet(marcus: Visitor) -> None:
    asked, file = await file_of(marcus, await marcus.get("/participants?role=mentor"), format="parquet")
    assert "Parquet" in asked.text
    assert (file[:4], file[-4:]) == (b"PAR1", b"PAR1")


async def test_another_organisations_participant_is_not_found(dana: Visitor, marcus: Visitor) -> None:
    theirs = set((await marcus.get("/participants")).links(r"/participants/[0-9a-f-]{36}"))
    ours = set((await dana.get("/participants")).links(r"/participants/[0-9a-f-]{36}"))
    assert theirs
    for path in sorted(theirs - ours)[:3]:
        found = await dana.get(path)
        assert found.status == 404
        assert found.heading == "Page not found"
    for path in sorted(theirs)[:1]:
        assert (await marcus.get(path)).status == 200


async def test_a_bad_query_gets_a_page_that_says_what_to_do(dana: Visitor) -> None:
    for query in (
        {"role": "wizard"},
        {"academic_year": "soon"},
        {"academic_year": "9" * 5_000},
        {"q": "\x00"},
        {"status": "happy"},
        {"page": "0"},
        {"page": "99999"},
        {"q": "x" * 10_000},
    ):
        page = await dana.get("/participants", **query)
        assert 400 <= page.status < 500, query
        assert "Traceback" not in page.response.text
        assert page.links(r"/participants[^\"]*"), query


async def test_a_false_link_of_any_length_leads_to_a_page_that_offers_a_new_one(
    system: RunningSystem,
) -> None:
    stranger = Visitor(system.url)
    page = await stranger.get("/sign-in/link/x")
    for token in ("x", "a" * 150, "a" * 600, "a" * 5_000):
        answer = await stranger.http.post(f"/sign-in/link/{token}", data=page_token(page))
        assert answer.status_code == 410
        assert "/sign-in" in answer.text
    await stranger.close()


async def test_an_address_with_a_slash_too_many_redirects_nowhere(system: RunningSystem) -> None:
    async with httpx.AsyncClient(base_url=system.url) as http:
        answer = await http.get("/participants/", headers={"host": "elsewhere.example"})
        assert answer.status_code == 404
        assert "location" not in answer.headers


async def test_who_is_not_signed_in_is_led_to_sign_in_and_back(system: RunningSystem) -> None:
    stranger = Visitor(system.url)
    page = await stranger.get("/participants", q="abc")
    assert page.path == "/sign-in"
    for path in ("/staff/audit", "/exports", "/lead-provider/confirmations", "/access-requests/new"):
        assert (await stranger.get(path)).path == "/sign-in"
    await stranger.close()


async def test_a_page_of_another_role_cannot_be_seen(marcus: Visitor) -> None:
    for path in ("/staff/access-requests", "/staff/audit", "/staff/people", "/lead-provider/confirmations"):
        page = await marcus.get(path)
        assert page.status == 403, path


async def test_a_form_that_is_not_ours_is_refused(marcus: Visitor) -> None:
    answer = await marcus.http.post("/sign-out", data={"form_proof": "0" * 64})
    assert answer.status_code == 403
    assert (await marcus.get("/participants")).status == 200


async def test_a_service_that_is_down_takes_its_own_pages_only(
    system: RunningSystem, marcus: Visitor
) -> None:
    """The export service is stopped where it stands (SIGSTOP), so it neither answers nor refuses."""
    pid = service_pid(system, "export")
    os.kill(pid, signal.SIGSTOP)
    try:
        page = await marcus.get("/exports")
        assert page.status == 503
        assert "unavailable" in page.heading
        assert "Downloading cannot be used at the moment" in page.text
        assert "Traceback" not in page.response.text
        assert (await marcus.get("/participants")).status == 200
    finally:
        os.kill(pid, signal.SIGCONT)
    assert (await marcus.get("/exports")).status == 200


async def test_requests_for_a_service_that_hangs_do_not_pile_up_before_those_for_others(
    system: RunningSystem, marcus: Visitor
) -> None:
    """Everybody is answered: who asks for what hangs is told when to come back, the others get their page."""
    pid = service_pid(system, "export")
    limits = httpx.Limits(max_connections=None)
    os.kill(pid, signal.SIGSTOP)
    try:
        async with httpx.AsyncClient(
            base_url=system.url, cookies=marcus.http.cookies, limits=limits, timeout=60
        ) as crowd:
            hanging = [asyncio.create_task(crowd.get("/exports")) for _ in range(100)]
            # Half of them find no place: when so many were refused, the others are past auth, and wait there.
            while sum(task.done() for task in hanging) < len(hanging) / 2:
                await asyncio.sleep(0.05)
            lists = [await marcus.get("/participants") for _ in range(5)]
            answers = await asyncio.gather(*hanging)
    finally:
        os.kill(pid, signal.SIGCONT)
    assert {answer.status_code for answer in answers} == {503}
    assert all(int(answer.headers["retry-after"]) > 0 for answer in answers)
    assert [page.status for page in lists] == [200] * 5
    async with asyncio.timeout(60):
        while (await marcus.get("/exports")).status != 200:
            await asyncio.sleep(0.5)


def service_pid(system: RunningSystem, service: str) -> int:
    found = subprocess.run(
        ["pgrep", "-P", str(system.process.pid), "-f", f"serve {service}"],
        capture_output=True,
        text=True,
        check=True,
    )
    return int(found.stdout.split()[0])


async def test_a_person_signs_out_of_another_browser(system: RunningSystem, marcus: Visitor) -> None:
    phone = Visitor(system.url)
    phone.http.headers["user-agent"] = "Mozilla/5.0 (iPhone) Version/18.5 Mobile/15E148 Safari/604.1"
    await phone.sign_in("marcus.bell@example.org")
    assert re.search(r'href="/session-warning/2[678]\.css"', (await phone.get("/participants")).response.text)
    assert "forwards" in (await phone.get("/session-warning/27.css")).response.text
    page = await marcus.get("/your-sessions")
    assert "Safari on iPhone" in page.text
    page = await marcus.submit(page, "/your-sessions/end")
    assert "That session has ended." in page.text
    assert (await phone.get("/participants")).path == "/sign-in"
    await phone.wait_for_email("marcus.bell@example.org", "A new sign-in")
    await phone.sign_in("marcus.bell@example.org")
    page = await phone.submit(await phone.get("/your-sessions"), "/your-sessions/end-all")
    assert "You have signed out everywhere." in page.text
    assert (await marcus.get("/participants")).path == "/sign-in"
    await marcus.sign_in("marcus.bell@example.org")
    await phone.close()


async def test_an_administrator_resets_the_authenticator_app_of_a_colleague(system: RunningSystem) -> None:
    address = "tess.lindqvist@example.org"
    tess, alex = Visitor(system.url), Visitor(system.url)
    assert (await tess.sign_in(address)).path == "/staff/access-requests"
    await alex.sign_in("alex.brandt@example.org")
    found = await alex.get("/staff/people", q=address)
    (there,) = set(found.links(r"/staff/people/[0-9a-f-]{36}"))
    page = await alex.get(f"{there}/second-factor")
    page = await alex.submit(page, f"{there}/second-factor")
    assert "The authenticator app has been reset." in page.text
    assert (await tess.get("/staff/people")).path == "/sign-in"
    assert (await tess.get(f"{there}/second-factor")).path == "/sign-in"
    before = await tess.links(address)
    await tess.submit(await tess.get("/sign-in"), "/sign-in", email=address)
    while not (new := [link for link in await tess.links(address) if link not in before]):
        await asyncio.sleep(0.1)
    page = await tess.submit(await tess.get(new[0]), new[0])
    assert page.heading == "Set up your authenticator app"
    assert "<svg" in page.response.text
    assert not re.search(r" style=|<style", page.response.text)
    assert (await tess.get("/staff/people")).path == "/sign-in/second-factor", "nothing else can be seen"
    audit = await alex.get("/staff/audit")
    assert "Alex Brandt reset the authenticator app of Tess Lindqvist." in audit.text
    for visitor in (tess, alex):
        await visitor.close()


async def test_an_early_end_is_offered_for_agreements_that_have_not_ended(system: RunningSystem) -> None:
    priya = Visitor(system.url)
    await priya.sign_in("priya.raman@example.org")
    page = await priya.get("/staff/agreements")
    running = set(page.links(r"/staff/agreements/[0-9a-f-]{36}/end"))
    (ended,) = {f"{one}/end" for one in page.links(r"/staff/agreements/[0-9a-f-]{36}")} - running
    assert page.text.count("Ended on 31 August") == 1
    assert {(await priya.get(one)).heading for one in running} == {"End an agreement early"}
    refused = await priya.get(ended)
    assert (refused.status, refused.heading) == (409, "This cannot be done")
    assert "This agreement has ended" in refused.text
    await priya.close()


async def test_support_signs_somebody_out_and_a_token_left_over_is_refused_in_every_service(
    system: RunningSystem, marcus: Visitor
) -> None:
    """The page, and whoever has a token of the session from before, are refused within a second."""
    sam = Visitor(system.url)
    await sam.sign_in("sam.okoro@example.org")
    found = await sam.get("/staff/people", q="marcus.bell@example.org")
    (there,) = set(found.links(r"/staff/people/[0-9a-f-]{36}"))
    page = await sam.get(f"{there}/sessions")
    assert "They are signed in on 1 browser" in page.text
    async with calls_with_tokens_of(system, marcus) as calls:
        assert {call: status for call, status in (await calls()).items() if status == 401} == {}
        fields, started = page.form(f"{there}/sessions"), time.perf_counter()
        answer = await sam.http.post(f"{there}/sessions", data=fields, follow_redirects=False)
        assert answer.status_code == 303
        while set((await calls()).values()) != {401}:
            assert time.perf_counter() - started < 30, await calls()
        assert (await marcus.get("/participants")).path == "/sign-in"
        assert time.perf_counter() - started < 1.0
    assert "signed out everywhere" in (await sam.get(answer.headers["location"])).text
    assert "They are not signed in." in (await sam.get(f"{there}/sessions")).text
    alex = Visitor(system.url)
    await alex.sign_in("alex.brandt@example.org")
    audit = await alex.get("/staff/audit")
    assert "Sam Okoro signed out Marcus Bell everywhere." in audit.text
    assert "Marcus Bell was signed out by DfE staff." in audit.text
    found = await sam.get("/staff/people", q="alex.brandt@example.org")
    (of_staff,) = set(found.links(r"/staff/people/[0-9a-f-]{36}"))
    assert not (await sam.get(of_staff)).links(rf"{of_staff}/sessions")
    refused = await sam.submit(await sam.get(f"{of_staff}/sessions"), f"{of_staff}/sessions")
    assert "Only an administrator signs out DfE staff." in refused.text
    assert (await alex.get("/staff/people")).status == 200
    await marcus.sign_in("marcus.bell@example.org")
    for visitor in (sam, alex):
        await visitor.close()


async def test_support_sees_which_emails_did_not_arrive_and_users_do_not(
    system: RunningSystem, marcus: Visitor
) -> None:
    """One that auth sent and one of access bounced: as Notify would have told."""
    bounced = (
        "INSERT INTO sent_emails (reference, address, subject, state, reason, sent_at, looked_at) "
        "VALUES ('bounced', $1, 'Your link', 'failed', 'permanent-failure', now(), now())"
    )
    for service, environment in environments(system.home).items():
        if service in {"auth", "access"}:
            connection = await asyncpg.connect(environment["CHECK_DATA_OWNER_DATABASE_URL"])
            await connection.execute(bounced, f"gone.from.{service}@example.org")
            await connection.close()
    sam = Visitor(system.url)
    await sam.sign_in("sam.okoro@example.org")
    page = await sam.get("/staff/emails")
    for service in ("auth", "access"):
        assert f"gone.from.{service}@example.org" in page.text
    assert "The address does not exist" in page.text
    assert "gone.from" not in (await marcus.get("/staff/emails")).text
    await sam.close()


@pytest.mark.parametrize(
    "path",
    [
        "/participants",
        "/choose-role",
        "/your-sessions",
        "/session-goes-on",
        "/sign-in/second-factor",
        "/staff/people",
    ],
)
@pytest.mark.parametrize("session", ["over", "x" * 3_000, '"', "%00", "\xe9\xff"])
async def test_a_session_that_is_over_or_false_leads_to_the_sign_in_from_every_page(
    system: RunningSystem, path: str, session: str
) -> None:
    async with httpx.AsyncClient(base_url=system.url) as http:
        answer = await http.get(path, headers={"cookie": f"session={session}".encode("latin-1")})  # type: ignore[arg-type]
    assert (answer.status_code, answer.headers["location"].partition("?")[0]) == (303, "/sign-in")


async def test_every_service_refuses_a_call_without_a_token(system: RunningSystem) -> None:
    environment = json.loads((system.home / "environment" / "gateway.json").read_text())
    async with httpx.AsyncClient() as http:
        for name, path in (
            ("AUTH", "/events"),
            ("ACCESS", "/requests"),
            ("PARTICIPANTS", "/participants"),
            ("EXPORT", "/exports"),
            ("MANAGE_ECTS", "/events"),
        ):
            answer = await http.get(environment[f"CHECK_DATA_{name}_URL"] + path)
            assert answer.status_code == 401
            assert answer.headers["content-type"] == "application/problem+json"


def test_the_doctor_finds_a_running_system_well(system: RunningSystem) -> None:
    environment = {**os.environ, "CHECK_DATA_HOME": str(system.home)}
    result = subprocess.run(
        [sys.executable, "-m", "services", "doctor"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout
    assert result.stdout.splitlines()[-1] == "Nothing is wrong"


async def test_the_release_before_works_beside_this_one_on_the_new_schema(system: RunningSystem) -> None:
    """As during a roll-out: one request goes through old and new processes in turns."""
    commit = commit_before_newest_migration()
    if commit is None:
        pytest.skip("git does not know the release before: no .git, or too shallow a clone")
    with beside(system, commit) as old_url:
        there, sam, priya = Visitor(old_url), Visitor(system.url), Visitor(old_url)
        page = await there.sign_in("marcus.bell@example.org")
        assert total_of(page) > 0
        assert (await there.get(page.links(r"/participants/[0-9a-f-]{36}")[0])).status == 200
        assert len(await download(there, await there.get("/participants", role=["mentor"]))) > 0
        here = f"/staff{await nominate(there, 'Omar Haddad', 'omar.haddad@example.org')}"
        await sam.sign_in("sam.okoro@example.org")
        await decide(sam, await sam.get(here), f"{here}/triage", "Known to us.")
        await priya.sign_in("priya.raman@example.org")
        assert "What the agreement register says" in (await priya.get(here)).text
        for visitor in (there, sam, priya):
            await visitor.close()


async def test_the_load_generator_plays_users_without_an_error(
    system: RunningSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHECK_DATA_HOME", str(system.home))
    size = Size(participants=0, users=(2, 3), step_seconds=3, think=0.2, trickle_seconds=0)
    steps, log, lags = await play(system.url, system.home / "inbox", size)
    assert [step.users for step in steps] == [2, 3]
    assert {visit.kind for visit in log.visits} >= {SIGN_IN, LIST}
    assert [visit for visit in log.visits if visit.failed] == []
    assert lags

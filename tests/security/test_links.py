"""A link against those who race for it, forge it, or come a moment too late.

CHECK_DATA_TEST_REDEEMS: how many redeem one link at once (500; `make redeems` takes 10,000).
"""

import asyncio
import os
import time
from collections import Counter
from datetime import datetime, timedelta

import httpx
import pytest

from services.auth.app import create
from services.auth.domain.link_token import link_token, read_link_token
from tests.integration.auth.running import SECRET, Running, count

REDEEMS = int(os.environ.get("CHECK_DATA_TEST_REDEEMS", "500"))
AT_ONCE = 500
"""Requests under way at the same time: with more, they wait for connections before they race."""


async def test_of_many_who_redeem_one_link_at_once_exactly_one_gets_a_session(
    auth: Running, capsys: pytest.CaptureFixture[str]
) -> None:
    token = await auth.link()
    room = asyncio.Semaphore(AT_ONCE)

    async def redeem() -> int:
        async with room:
            return (await auth.post("/links/redeem", token=token)).status_code

    started = time.perf_counter()
    answers = Counter(await asyncio.gather(*(redeem() for _ in range(REDEEMS))))
    seconds = time.perf_counter() - started
    assert answers == {200: 1, 410: REDEEMS - 1}
    assert await count(auth, "SELECT count(*) FROM sessions") == 1
    assert await count(auth, "SELECT count(*) FROM events WHERE type = 'LinkRedeemed'") == 1
    if REDEEMS > AT_ONCE:
        with capsys.disabled():
            print(f"\n{REDEEMS:,} redeems of one link, {AT_ONCE} at a time, in {seconds:.1f} s: one session")


@pytest.mark.timeout(120)
async def test_every_changed_byte_of_a_link_is_refused_and_the_link_is_still_good(auth: Running) -> None:
    token = await auth.link()
    for place in range(len(token)):
        for bit in (1, 32):
            forged = token[:place] + chr(ord(token[place]) ^ bit) + token[place + 1 :]
            answer = await auth.post("/links/redeem", token=forged)
            assert answer.status_code == 410, place
    assert (await auth.post("/links/redeem", token=token)).status_code == 200


async def test_a_shorter_link_is_good_where_the_setting_says_so_and_nowhere_else(auth: Running) -> None:
    settings = auth.app.state.auth.settings
    key = settings.link_keys[0].get_secret_value().encode()
    long = await auth.link()
    link_id = read_link_token(long, [key])
    assert link_id is not None
    short = link_token(link_id, key, bits=128)
    assert (await auth.post("/links/redeem", token=short)).status_code == 410
    app = create(settings.model_copy(update={"link_bits": 128}), clock=auth.clock)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://auth") as http,
    ):
        token = await http.post("/tokens", json={"audience": "auth"}, auth=("gateway", SECRET + "gateway"))
        as_gateway = {"authorization": f"Bearer {token.json()['token']}"}
        for sent, status in ((long, 410), (short, 200)):
            answer = await http.post("/links/redeem", json={"token": sent}, headers=as_gateway)
            assert answer.status_code == status


@pytest.mark.parametrize(
    "token", ["", ".", "a.b", "é" * 33, "x" * 101, "../../etc/passwd", "' OR 1=1 --", "\0", "%00", "=" * 66]
)
async def test_what_is_no_link_is_refused_like_a_false_one(auth: Running, token: str) -> None:
    answer = await auth.post("/links/redeem", token=token)
    assert (answer.status_code, answer.json()["type"]) == (410, "urn:check-data:problem:link-not-usable")
    assert "etc/passwd" not in answer.text


@pytest.mark.parametrize(
    ("before_the_end", "status"),
    [(timedelta(microseconds=1), 200), (timedelta(0), 410), (timedelta(microseconds=-1), 410)],
)
async def test_a_link_ends_at_the_very_moment(auth: Running, before_the_end: timedelta, status: int) -> None:
    token = await auth.link()
    async with auth.app.state.backbone.engine.connect() as connection:
        said = await connection.exec_driver_sql("SELECT data->>'expires_at' FROM events ORDER BY id LIMIT 1")
        ends_at = datetime.fromisoformat(str(said.scalar()))
    auth.clock.now = ends_at - before_the_end
    assert (await auth.post("/links/redeem", token=token)).status_code == status


async def test_a_link_that_another_process_issued_with_its_clock_ahead_or_behind_works(auth: Running) -> None:
    """Two processes whose clocks differ by some seconds. Nothing depends on who issued."""
    for seconds in (-5, 5):
        auth.clock.now += timedelta(seconds=seconds)
        token = await auth.link()
        auth.clock.now -= timedelta(seconds=seconds)
        assert (await auth.post("/links/redeem", token=token)).status_code == 200


async def test_nothing_that_auth_keeps_could_sign_anybody_in(auth: Running) -> None:
    token = await auth.link()
    parts = [token, *token.split(".")]
    async with auth.app.state.backbone.engine.connect() as connection:
        for table in ("events", "links", "work", "sessions", "people", "devices"):
            rows = await connection.exec_driver_sql(f"SELECT {table}::text FROM {table}")  # noqa: S608
            kept = "\n".join(rows.scalars())
            assert not any(part in kept for part in parts), table

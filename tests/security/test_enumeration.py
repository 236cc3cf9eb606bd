"""Nobody learns from us who has access: same words, same status, same headers, same time.

CHECK_DATA_TEST_TIMINGS: how often each kind of address is tried (150; `make timings` takes 2,000).
"""

import asyncio
import os
import random
import statistics
import time

import pytest

from shared.contracts import access
from tests.integration.auth.running import EMAIL, GRANT, Running, count, grant_ended, work_is_done
from tests.security.statistics import cliffs_delta

TIMINGS = int(os.environ.get("CHECK_DATA_TEST_TIMINGS", "150"))
NOTICEABLE = 0.3
"""With 150 of each, chance alone goes beyond ±0.3 about once in a hundred thousand runs."""
KINDS = {"known": EMAIL, "unknown": "nobody@example.org", "suspended": "sam@example.org"}


async def with_a_suspended_person(auth: Running) -> None:
    """Sam is registered, and holds no grant any more."""
    await auth.tell(access.PersonRegistered(person_id=GRANT, full_name="Sam Okoro", email=KINDS["suspended"]))


async def test_every_address_gets_the_same_words_status_and_headers(auth: Running) -> None:
    await with_a_suspended_person(auth)
    seen = set()
    for email in KINDS.values():
        answer = await auth.post("/links", email=email)
        headers = tuple(sorted(name for name in answer.headers if name != "x-correlation-id"))
        seen.add((answer.status_code, answer.content, headers))
    assert len(seen) == 1
    await work_is_done(auth)
    assert len(list(auth.inbox.glob("*.json"))) == 1


async def test_a_link_of_somebody_suspended_meanwhile_is_refused_like_a_false_one(auth: Running) -> None:
    token = await auth.link()
    await auth.tell(grant_ended(GRANT))
    suspended = await auth.post("/links/redeem", token=token)
    false = await auth.post("/links/redeem", token="x" * 66)
    assert (suspended.status_code, suspended.content) == (false.status_code, false.content)


async def timings(auth: Running) -> dict[str, list[float]]:
    """Seconds to the answer, by kind, in a random order; each when the work of the one before is done."""
    found: dict[str, list[float]] = {kind: [] for kind in KINDS}
    order = [kind for kind in KINDS for _ in range(TIMINGS)]
    random.shuffle(order)
    for number, kind in enumerate(order):
        network = f"10.{number >> 16}.{(number >> 8) & 255}.{number & 255}"
        started = time.perf_counter()
        await auth.post("/links", email=KINDS[kind], network=network)
        found[kind].append(time.perf_counter() - started)
        while await count(auth, "SELECT count(*) FROM work WHERE state = 'due'"):
            await asyncio.sleep(0.005)
    return found


@pytest.mark.timeout(1800)
async def test_every_address_takes_the_same_time(auth: Running, capsys: pytest.CaptureFixture[str]) -> None:
    await with_a_suspended_person(auth)
    for _ in range(5):
        await auth.post("/links", email=EMAIL)  # warm
    found = await timings(auth)
    medians = {kind: statistics.median(seconds) * 1000 for kind, seconds in found.items()}
    deltas = {kind: cliffs_delta(found["known"], found[kind]) for kind in ("unknown", "suspended")}
    with capsys.disabled():
        print(
            f"\nAsking for a link, {TIMINGS} of each kind, median ms: "
            + ", ".join(f"{kind} {median:.2f}" for kind, median in medians.items())
            + "; effect size (Cliff's delta) of known against "
            + ", ".join(f"{kind} {delta:+.3f}" for kind, delta in deltas.items())
        )
    assert all(abs(delta) < NOTICEABLE for delta in deltas.values()), deltas


def test_the_measure_would_notice_a_fraction_of_a_millisecond() -> None:
    """Shown failing on purpose: answers of two milliseconds, of which one kind takes 0.15 ms longer."""
    generator = random.Random(1)
    first = [generator.gauss(2.0, 0.2) for _ in range(200)]
    assert cliffs_delta([value + 0.15 for value in first], first) > NOTICEABLE
    assert abs(cliffs_delta(first, [generator.gauss(2.0, 0.2) for _ in range(200)])) < NOTICEABLE
    assert cliffs_delta([3, 4], [1, 2]) == 1

"""Asking too often: who is told so, who is not, and that nobody is kept out by a stranger."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import timedelta

import pytest
from redis.asyncio import Redis

from services.auth.limits import Counting, LinkLimits, Throttle, TooManyRequests
from shared.embedded.ports import free_ports
from tests.integration.auth.running import EMAIL, Running, count, work_is_done
from tests.valkey_cluster import ValkeyCluster

LIMITS = LinkLimits(
    network=["5 per hour"], address=["3 per minute"], everybody=["8 per hour"], device=["2 per hour"]
)


@pytest.fixture
async def throttle(redis_url: str) -> AsyncIterator[Throttle]:
    counting = Counting(redis_url)
    yield Throttle(counting, LIMITS, b"k" * 32)
    await counting.aclose()


async def how_many(throttle: Throttle, times: int, email: str, network: str) -> int:
    """How many of so many requests are taken."""
    taken = 0
    for _ in range(times):
        try:
            await throttle.admit(email, network)
        except TooManyRequests:
            continue
        taken += 1
    return taken


async def test_an_address_a_network_and_everybody_have_limits(throttle: Throttle) -> None:
    assert await how_many(throttle, 5, "a@example.org", "192.0.2.1") == 3
    assert await how_many(throttle, 5, "b@example.org", "192.0.2.1") == 0, (
        "refused ones count for the network"
    )
    assert await how_many(throttle, 5, "a@example.org", "192.0.2.2") == 3, "from elsewhere it is another pair"
    assert await how_many(throttle, 5, "c@example.org", "192.0.2.3") == 2, "of eight for everybody"


async def test_spellings_of_an_address_and_of_a_network_are_one(throttle: Throttle) -> None:
    for email, network in (
        ("Dana@Example.org", "2001:db8::1"),
        (" dana@example.ORG", "2001:db8::2:1"),
        ("dana@example.org", "2001:db8:0:0:ffff::"),
    ):
        await throttle.admit(email, network)
    with pytest.raises(TooManyRequests) as refused:
        await throttle.admit(EMAIL, "2001:db8::9")
    assert 1 <= refused.value.seconds <= 60
    await throttle.admit(EMAIL, "2001:db8:0:1::1")


async def test_several_processes_share_the_limits_and_redis_learns_no_address(
    throttle: Throttle, redis_url: str, redis: Redis
) -> None:
    other = Counting(redis_url)
    second = Throttle(other, LIMITS, b"k" * 32)
    assert await how_many(throttle, 2, EMAIL, "192.0.2.1") == 2
    assert await how_many(second, 5, EMAIL, "192.0.2.1") == 1
    await other.aclose()
    keys = b" ".join([key async for key in redis.scan_iter()])
    assert keys
    assert b"dana" not in keys
    assert b"192.0.2" not in keys


async def test_without_redis_each_process_keeps_the_limits_for_itself() -> None:
    (nobody,) = free_ports(1)
    counting = Counting(f"redis://127.0.0.1:{nobody}/0")
    throttle = Throttle(counting, LIMITS, b"k" * 32)
    async with asyncio.timeout(3):
        assert await how_many(throttle, 9, EMAIL, "192.0.2.1") == 3
    await counting.aclose()


async def test_who_asks_too_often_is_told_when_to_try_again_known_or_not(auth: Running) -> None:
    for email in (EMAIL, "nobody@example.org"):
        asked = [await auth.post("/links", email=email, network="192.0.2.7") for _ in range(11)]
        assert [answer.status_code for answer in asked] == [202] * 10 + [429]
        assert asked[-1].json()["type"] == "urn:check-data:problem:too-many-requests"
        assert 500 < int(asked[-1].headers["retry-after"]) <= 600
        assert "Try again in 10 minutes" in asked[-1].json()["detail"]


DOORS = ("/links", "/asking-links")


async def test_both_doors_count_together(auth: Running) -> None:
    """Else who is over the limit at one would go on at the other: behind both, an email is sent."""
    asked = [await auth.post(DOORS[n % 2], email=EMAIL, network="192.0.2.7") for n in range(12)]
    assert [answer.status_code for answer in asked] == [202] * 10 + [429] * 2


@pytest.mark.parametrize("door", DOORS)
async def test_a_browser_that_only_says_it_is_known_is_a_strangers(auth: Running, door: str) -> None:
    known = (await auth.session()).device
    spent = [await auth.post("/links", email=EMAIL, network="192.0.2.1") for _ in range(11)]
    assert spent[-1].status_code == 429
    for device, status in ((None, 429), ("", 429), ("x" * 43, 429), (known, 202)):
        answer = await auth.post(door, email=EMAIL, network="192.0.2.1", device=device)
        assert answer.status_code == status, device


@pytest.mark.parametrize("door", DOORS)
async def test_a_known_browser_has_a_limit_too_whichever_address_is_typed(auth: Running, door: str) -> None:
    known = (await auth.session()).device
    asked = [await auth.post(door, email=f"{n}@example.org", device=known) for n in range(11)]
    assert [answer.status_code for answer in asked] == [202] * 10 + [429]


async def test_a_stranger_who_asks_all_the_time_keeps_nobody_out(auth: Running) -> None:
    """From as many networks as they like. Whenever Dana looks, her last email holds a good link."""
    for minute in range(20):
        for turn in range(2):
            await auth.post("/links", email=EMAIL, network=f"198.51.{minute}.{turn}")
        await work_is_done(auth)
        live = "SELECT count(*) FROM links WHERE spent_at IS NULL AND issued_at > '{}'"
        good_for_half = auth.clock.now - timedelta(minutes=5)
        assert await count(auth, live.format(good_for_half.isoformat())) == 1, minute
        auth.clock.now += timedelta(minutes=1)
    assert await count(auth, "SELECT count(*) FROM links") <= 2 * 5 + 20 / 5, "no flood"


async def test_a_cluster_keeps_the_limits_and_the_loss_of_a_node_lets_people_ask(
    valkey_cluster: ValkeyCluster,
) -> None:
    async with aclosing(Counting(valkey_cluster.url)) as one, aclosing(Counting(valkey_cluster.url)) as other:
        first, second = (Throttle(counting, LIMITS, b"k" * 32) for counting in (one, other))
        assert await how_many(first, 2, EMAIL, "192.0.2.1") == 2
        assert await how_many(second, 5, EMAIL, "192.0.2.1") == 1
        valkey_cluster.nodes[0].kill()
        try:
            async with asyncio.timeout(5):
                assert await how_many(first, 9, "b@example.org", "192.0.2.9") == 3
        finally:
            valkey_cluster.nodes[0].start()

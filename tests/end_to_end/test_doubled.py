"""Two processes of every service, relay, projection and worker at once: nothing is lost, nothing is twice."""

import asyncio
import os
import shutil
import subprocess
import sys
import time
from collections.abc import AsyncIterator

import pytest

from services.cli.catalogue import WITH_DATABASE
from tests.end_to_end.doubled import Doubled, Twin, doubled, jobs_done_twice
from tests.end_to_end.story import (
    NOMINEE,
    dana_of_the_partner,
    from_nomination_to_download,
    list_search_and_download,
    nominate,
)
from tests.running import Visitor
from tests.servers import new_folder
from tests.valkey_cluster import ValkeyCluster

pytestmark = [pytest.mark.end_to_end, pytest.mark.timeout(600)]

TAKE_OVER_SECONDS = 30.0
"""Two dozen processes share two cores here. That five are enough is shown by test_relay_takeover."""
SETTLE_SECONDS = 30.0
JUDGES = (
    ("doctor",),
    ("audit", "verify"),
    ("rebuild", "participants", "--dry-run"),
    ("rebuild", "auth", "--dry-run"),
)
"""Each ends with 0 when rows agree with logs: nothing lost, nothing applied twice, nothing left undone."""


@pytest.fixture(scope="module")
async def world() -> AsyncIterator[Doubled]:
    folder = new_folder("doubled")
    cluster = ValkeyCluster(folder / "cluster")
    await cluster.start()
    try:
        async with doubled(folder, cluster) as world:
            yield world
    finally:
        cluster.stop()
    shutil.rmtree(folder)


async def test_the_story_is_walked_and_nothing_happens_twice(world: Doubled) -> None:
    dana = await dana_of_the_partner(world.url)

    async def soon(started: float) -> None:
        pass

    await from_nomination_to_download(world.url, dana, soon)
    await dana.close()
    assert {name: len(each.passed) for name, each in world.balancers.items()} == dict.fromkeys(world.twins, 2)
    assert jobs_done_twice(world) == []


async def test_lists_are_read_from_the_replica_and_say_up_to_when(world: Doubled) -> None:
    nia = Visitor(world.url)
    page = await nia.sign_in(NOMINEE)
    async with asyncio.timeout(20):
        while "Up to date as of" not in page.text:
            page = await nia.get("/participants")
    assert "Up to date as of" in (await nia.get("/summary")).text
    assert "Up to date as of" in (await nia.get(page.links('/participants/[0-9a-f-]{36}[^"]*')[0])).text
    await nia.close()


async def test_the_other_of_two_takes_over_all_that_a_killed_one_did_alone(world: Doubled) -> None:
    leaders = [leader(world, service) for service in WITH_DATABASE]
    others = {one.service: both[1 - one.number] for one in leaders for both in (world.twins[one.service],)}
    held = {one.service: one.locks() for one in leaders}
    killed = [*leaders, world.twins["gateway"][0]]
    for twin in killed:
        twin.kill()
    started = time.monotonic()
    while lacking := {s: locks - others[s].locks() for s, locks in held.items() if locks - others[s].locks()}:
        assert time.monotonic() - started < TAKE_OVER_SECONDS, lacking
        await asyncio.sleep(0.1)

    nia = Visitor(world.url)
    assert (await nia.sign_in(NOMINEE)).path == "/participants"
    await list_search_and_download(nia)
    await nominate(nia, "Noor Nasser", "noor.nasser@example.org")
    await nia.close()
    assert jobs_done_twice(world) == []
    await judge(world)


def leader(world: Doubled, service: str) -> Twin:
    """Whose relay is active, and who else may hold what there is one of."""
    return next(twin for twin in world.twins[service] if f"relay:{service}" in twin.locks())


async def judge(world: Doubled) -> None:
    """What is late may still come; then all must agree."""
    until = time.monotonic() + SETTLE_SECONDS
    for words in JUDGES:
        while (said := await check_data(world, *words)).returncode:
            assert time.monotonic() < until, (words, said.stdout, said.stderr)
            await asyncio.sleep(1)


async def check_data(world: Doubled, *words: str) -> subprocess.CompletedProcess[str]:
    return await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "services", *words],
        env={**os.environ, "CHECK_DATA_HOME": str(world.home.folder)},
        capture_output=True,
        text=True,
        check=False,
    )

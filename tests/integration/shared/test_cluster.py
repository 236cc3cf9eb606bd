"""A bus on several nodes: what is lost with one of them holds up nothing on the others, and comes back."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, suppress
from typing import Any

import pytest
from redis.asyncio import RedisCluster
from redis.crc import key_slot
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.bus.client import BUS_AWAY, cluster_address, open_client
from shared.bus.publication import bus_stream, partition_of
from shared.bus.stream import BusStream
from shared.database.provision import ServiceDatabase
from tests.integration.shared.test_bus import (
    Bus,
    Counted,
    create_seen,
    entries_are,
    eventually,
    opened_bus,
    pairs,
)
from tests.valkey_cluster import NODES, SLOTS, ValkeyCluster

PARTITIONS = 4
PUBLISHERS = ("auth", "access", "participants", "export", "manage_ects")
BY_THE_BUS_SECONDS = 2.5
"""Less than a reader waits before it asks the feed."""


@pytest.fixture
async def bus(
    valkey_cluster: ValkeyCluster, engine: AsyncEngine, plain_database: ServiceDatabase
) -> AsyncIterator[Bus]:
    await create_seen(plain_database)
    async with opened_bus(engine, valkey_cluster.url, PARTITIONS) as bus:
        yield bus


def subjects_on(bus: Bus, port: int, there: bool) -> list[str]:
    """Ten subjects whose stream is on that node, or on another one."""
    client: Any = bus.redis
    assert isinstance(client, RedisCluster)
    found = []
    for name in (f"subject-{number}" for number in range(1000)):
        node = client.get_node_from_key(bus_stream("test", partition_of(name, PARTITIONS)))
        assert node is not None
        if (node.port == port) == there:
            found.append(name)
    return found[:10]


@pytest.mark.parametrize("publisher", PUBLISHERS)
def test_four_streams_of_a_publisher_are_on_all_of_three_nodes(publisher: str) -> None:
    slots = [key_slot(bus_stream(publisher, partition).encode()) for partition in range(PARTITIONS)]
    assert {slot * NODES // SLOTS for slot in slots} == set(range(NODES))


@pytest.mark.parametrize("number", [0, 2], ids=["the first node", "the last node"])
async def test_a_lost_node_holds_up_no_other_and_is_filled_again(
    bus: Bus, valkey_cluster: ValkeyCluster, number: int
) -> None:
    """All by the bus: nobody can read the feed. redis-py asks the first node more than the others."""
    lost = valkey_cluster.nodes[number]
    bus.feed.away = True
    async with bus.relaying(), bus.projecting():
        before = [Counted(f"subject-{n}", n) for n in range(100, 140)]
        await bus.append(*before)
        await bus.has_rows(len(before))
        lost.kill()
        try:
            on_others = [Counted(name, 200) for name in subjects_on(bus, lost.port, there=False)]
            on_it = [Counted(name, 200) for name in subjects_on(bus, lost.port, there=True)]
            await bus.append(*on_it, *on_others)
            await bus.has_rows(len(before) + len(on_others), seconds=BY_THE_BUS_SECONDS)
            assert set(await bus.rows()) == pairs(before + on_others)
        finally:
            lost.start()
        await bus.has_rows(len(before) + len(on_others) + len(on_it), seconds=30)
        await eventually(lambda: entries_are(bus, len(before) + len(on_others) + len(on_it)), seconds=30)
    assert sorted(await bus.rows()) == sorted(pairs(before + on_others + on_it))


async def test_who_starts_while_a_node_is_lost_works_with_the_others(
    bus: Bus, engine: AsyncEngine, valkey_cluster: ValkeyCluster
) -> None:
    await bus.redis.ping()
    lost = valkey_cluster.nodes[0]
    events = [Counted(name, 1) for name in subjects_on(bus, lost.port, there=False)]
    lost.kill()
    try:
        async with opened_bus(engine, valkey_cluster.url, PARTITIONS) as late:
            late.feed.away = True
            async with late.relaying(), late.projecting():
                await late.append(*events)
                await late.has_rows(len(events), seconds=10)
    finally:
        lost.start()
        await eventually(lambda: answers(bus))


async def answers(bus: Bus) -> bool:
    try:
        await entries_are(bus, 0)
    except BUS_AWAY:
        return False
    return True


async def test_trouble_of_one_task_is_no_bug_to_another(valkey_cluster: ValkeyCluster) -> None:
    """A node that is down for a moment makes redis-py close all connections, also those being opened."""
    async with aclosing(open_client(valkey_cluster.url)) as client:
        assert isinstance(client, RedisCluster)

        async def ask(number: int) -> None:
            for _ in range(60):
                with suppress(*BUS_AWAY):
                    await BusStream(client, bus_stream("test", number % PARTITIONS)).last()

        async def trouble() -> None:
            for _ in range(60):
                await client.aclose()
                await asyncio.sleep(0.001)

        await asyncio.gather(trouble(), *(ask(number) for number in range(12)))


def test_a_clusters_url_names_nodes_an_account_and_tls() -> None:
    assert cluster_address("redis://one:7000/3") is None
    assert cluster_address("rediss+cluster://u:p%40@one:7000,[::1]:7001,three?ssl_ca_certs=ca.pem") == (
        "rediss://u:p%40@one:7000?ssl_ca_certs=ca.pem",
        [("::1", 7001), ("three", 6379)],
    )

"""A cluster of three Valkey servers without replicas: what one of them holds is lost with it."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Final

from redis.asyncio import Redis

from shared.embedded.ports import free_ports
from tests.faults.killable import Valkey

NODES: Final = 3
SLOTS: Final = 16_384
FORM_SECONDS: Final = 30.0
OPTIONS: Final = (
    *("--cluster-enabled", "yes", "--cluster-node-timeout", "2000"),
    # As the operations' page says: else the loss of one node stops them all.
    *("--cluster-require-full-coverage", "no"),
)


class ValkeyCluster:
    """Nodes keep no entries, and their places in the cluster: one that was killed comes back empty."""

    def __init__(self, folder: Path) -> None:
        ports, buses = free_ports(2 * NODES)[:NODES], free_ports(2 * NODES)[NODES:]
        self._buses = dict(zip(ports, buses, strict=True))
        self.nodes = [
            Valkey(folder / f"node-{number}", port, (*OPTIONS, "--cluster-port", str(self._buses[port])))
            for number, port in enumerate(ports)
        ]

    @property
    def url(self) -> str:
        return "redis+cluster://" + ",".join(f"127.0.0.1:{node.port}" for node in self.nodes)

    async def start(self) -> None:
        """Return when each node knows the others, and each slot is one node's."""
        for node in self.nodes:
            node.start()
        async with self._clients() as clients:
            share = SLOTS // NODES + 1
            for number, client in enumerate(clients):
                first, last = number * share, min((number + 1) * share, SLOTS) - 1
                await _tell(client, "ADDSLOTSRANGE", first, last)
                await _tell(client, "SET-CONFIG-EPOCH", number + 1)
            for node in self.nodes[1:]:
                await _tell(clients[0], "MEET", "127.0.0.1", node.port, self._buses[node.port])
        await self.is_whole()

    async def is_whole(self) -> None:
        """Return when each node that was started says that it is part of a cluster that has them all."""
        until = time.monotonic() + FORM_SECONDS
        async with self._clients() as clients:
            while not all([await _knows_all(client) for client in clients]):
                if time.monotonic() > until:
                    raise AssertionError("the cluster did not form")
                await asyncio.sleep(0.05)

    @asynccontextmanager
    async def _clients(self) -> AsyncIterator[list[Redis]]:
        """One for each node."""
        async with AsyncExitStack() as stack:
            yield [await stack.enter_async_context(Redis(port=node.port)) for node in self.nodes]

    def stop(self) -> None:
        for node in self.nodes:
            node.kill()


async def _tell(client: Redis, command: str, *arguments: str | int) -> Any:
    return await client.execute_command("CLUSTER", command, *arguments)  # type: ignore[no-untyped-call]


async def _knows_all(client: Redis) -> bool:
    told: bytes = await _tell(client, "INFO")
    nodes: bytes = await _tell(client, "NODES")
    return (
        b"cluster_state:ok" in told
        and f"cluster_known_nodes:{NODES}".encode() in told
        and b"fail" not in nodes
    )

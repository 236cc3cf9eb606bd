"""Two processes of every service behind a balancer each, on a cluster of Valkey and a replicated Postgres."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
from sqlalchemy.engine import make_url

from services.cli.catalogue import SERVICES
from services.cli.demo import let_demo_people_in, make_up_history
from services.cli.home import Home
from services.cli.installation import Servers, environments, prepare_databases
from services.cli.processes import Child, start, stop, wait_until_ready
from services.gateway.assets import build as build_assets
from shared.embedded.ports import free_ports
from tests.balancer import Balancer
from tests.faults.killable import Postgres, primary_among
from tests.valkey_cluster import ValkeyCluster

BOTH: Final = 2
PARTITIONS: Final = 4
READY_SECONDS: Final = 120.0
SMALL = {
    "CHECK_DATA_PARTICIPANTS": "200",
    "CHECK_DATA_TRICKLE_SECONDS": "0",
    "CHECK_DATA_BUS_PARTITIONS": str(PARTITIONS),
    "CHECK_DATA_DATABASE_POOL_SIZE": "3",
    "CHECK_DATA_READER_POOL_SIZE": "3",
}


@dataclass
class Twin:
    """One of the two processes of a service."""

    service: str
    number: int
    told: Mapping[str, str]
    log: Path
    child: Child | None = None
    killed: bool = False

    def start(self) -> None:
        self.child = start(self.service, ["serve", self.service], self.told, self.log)

    async def ready(self) -> None:
        assert self.child is not None
        url = f"http://127.0.0.1:{self.told['CHECK_DATA_PORT']}"
        await asyncio.to_thread(wait_until_ready, self.child, url, READY_SECONDS)

    def kill(self) -> None:
        assert self.child is not None
        assert not self.child.ended, self.child.tail()
        self.child.process.kill()
        self.child.process.wait()
        self.killed = True

    def lines(self) -> list[dict[str, Any]]:
        """What it logged."""
        return [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]

    def locks(self) -> set[str]:
        """What it alone does."""
        return {line["lock"] for line in self.lines() if line["event"] == "lock_taken"}


@dataclass
class Doubled:
    url: str
    home: Home
    postgres: Postgres
    replica: Postgres
    cluster: ValkeyCluster
    twins: dict[str, list[Twin]]
    balancers: dict[str, Balancer]

    def lines(self, event: str) -> list[dict[str, Any]]:
        """Of all processes."""
        return [
            line
            for both in self.twins.values()
            for twin in both
            for line in twin.lines()
            if line["event"] == event
        ]

    def must_be_alive(self) -> None:
        for both in self.twins.values():
            for twin in both:
                assert twin.child is not None
                assert twin.killed or not twin.child.ended, twin.child.tail()


@asynccontextmanager
async def doubled(folder: Path, cluster: ValkeyCluster) -> AsyncIterator[Doubled]:
    """The demo's world in small, with the demo's people let in."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**SMALL, "CHECK_DATA_HOME": str(folder / "home")}.items():
            patch.setenv(name, value)
        async with AsyncExitStack() as stack:
            postgres = Postgres.new(folder / "postgres", ["max_connections=300"])
            postgres.start()
            stack.callback(postgres.kill)
            home = Home(folder / "home")
            home.prepare()
            build_assets(home.assets)
            servers = Servers(postgres.admin_url, cluster.url)
            (port,) = free_ports(1)
            told = environments(home, servers, await prepare_databases(home, servers), port)
            replica = postgres.replica(folder / "replica")
            replica.start()
            stack.callback(replica.kill)
            _tell_of_both(told, postgres, replica)
            for service in SERVICES:
                home.save_environment(service, told[service])
            await make_up_history(_say_nothing)
            twins = {service: _twins(service, told[service], home) for service in SERVICES}
            balancers = {}
            for service, both in twins.items():
                balancers[service] = Balancer([int(twin.told["CHECK_DATA_PORT"]) for twin in both])
                await stack.enter_async_context(
                    balancers[service].listening(int(told[service]["CHECK_DATA_PORT"]))
                )
            world = Doubled(f"http://127.0.0.1:{port}", home, postgres, replica, cluster, twins, balancers)
            stack.callback(lambda: stop([t.child for b in world.twins.values() for t in b if t.child]))
            for both in twins.values():
                for twin in both:
                    twin.start()
            for both in twins.values():
                for twin in both:
                    await twin.ready()
            await let_demo_people_in(_say_nothing)
            yield world
            world.must_be_alive()


def _tell_of_both(told: Mapping[str, dict[str, str]], primary: Postgres, replica: Postgres) -> None:
    """Services find whichever is the primary; lists are read from the replica."""
    reader = make_url(told["participants"]["CHECK_DATA_READER_DATABASE_URL"])
    there = reader.update_query_dict({"host": str(replica.sockets)}).render_as_string(hide_password=False)
    for own in told.values():
        for name in (name for name in own if name.endswith("DATABASE_URL")):
            own[name] = primary_among(own[name], [primary.sockets, replica.sockets])
    told["participants"]["CHECK_DATA_READER_REPLICA_DATABASE_URL"] = there


def _twins(service: str, told: Mapping[str, str], home: Home) -> list[Twin]:
    """They are told of the others by the balancers' ports, and listen on ports of their own."""
    ports = free_ports(BOTH)
    return [
        Twin(
            service,
            number,
            {**told, "CHECK_DATA_PORT": str(ports[number]), "CHECK_DATA_METRICS_PORT": "0"},
            home.folder / "log" / f"{service}-{number}.log",
        )
        for number in range(BOTH)
    ]


def _say_nothing(_what: str) -> None:
    pass


def jobs_done_twice(world: Doubled) -> list[Any]:
    done = Counter(
        (line["service"], line["job"]) for line in world.lines("job_ended") if line["outcome"] == "done"
    )
    assert done
    return [job for job, times in done.items() if times > 1]

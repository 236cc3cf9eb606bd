"""Two processes of export, one of participants, and a store that speaks S3, all of which may be killed.

The store keeps its files in a thread of the campaign; what is cut is the way to it, with all under way.
"""

import asyncio
import logging
import random
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID, uuid4

import httpx
from moto.server import ThreadedMotoServer
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from benchmarks.export.world import World as Filled
from benchmarks.export.world import fill, standing_in_for_auth
from shared.database.engine import create_engine
from shared.embedded.ports import free_ports
from tests.balancer import copy
from tests.databases import Databases
from tests.faults.killable import Service
from tests.servers import embedded_servers
from tests.tokens import TestIssuer

SERVE = "tests.faults.exports_serve"
READY_SECONDS = 60.0
SHARE_AT_WORK = 0.6
"""How often who is killed has begun to work; else it may still be starting."""


@dataclass
class Way:
    """Passes bytes to a server. cut: everything that is under way breaks off, and nobody gets through."""

    port: int
    to: int
    _server: asyncio.Server | None = None
    _open: set[asyncio.StreamWriter] = field(default_factory=set)

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._pass, "127.0.0.1", self.port)

    async def cut(self) -> None:
        if self._server is not None:
            self._server.close()
            for writer in list(self._open):
                writer.transport.abort()
            await self._server.wait_closed()
            self._server = None

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            theirs, ours = await asyncio.open_connection("127.0.0.1", self.to)
            self._open.add(ours)
            await asyncio.gather(copy(reader, ours), copy(theirs, writer))
            self._open.discard(ours)
        except OSError:
            pass
        finally:
            self._open.discard(writer)
            writer.close()


@dataclass
class ExportWorld:
    filled: Filled
    engine: AsyncEngine
    way: Way
    store_url: str
    services: dict[str, Service]
    urls: dict[str, str]
    rng: random.Random
    kills: Counter[str] = field(default_factory=Counter)

    async def kill(self) -> None:
        """One of them, at whatever it is about; it comes back at once, the way to the store after a while."""
        names = [*self.services, *(["the store"] if self.rng.random() < 0.5 else [])]
        name = self.rng.choice(names)
        self.kills[name.rstrip("-12")] += 1
        if name == "the store":
            await self.way.cut()
            await asyncio.sleep(self.rng.uniform(0.05, 1))
            await self.way.open()
        else:
            service = self.services[name]
            if self.rng.random() < SHARE_AT_WORK:
                await self.ready(name)
            service.must_be_alive()
            await asyncio.to_thread(service.stop)
            service.start()
        # As if the half minute of a lease were over for all: also those who live are taken for dead.
        if self.rng.random() < 0.7:
            await self.leases_are_over()

    async def leases_are_over(self) -> None:
        """tries: a person's export has ten; here each would be used up by us."""
        async with self.engine.begin() as connection:
            await connection.execute(
                text("UPDATE work SET due_at = clock_timestamp(), tries = 1 WHERE state = 'due'")
            )

    async def ready(self, *names: str) -> None:
        """Wait until these are, or all."""
        async with httpx.AsyncClient() as http, asyncio.timeout(READY_SECONDS):
            for name in names or self.urls:
                while not await _is_ready(http, self.urls[name]):
                    self.services[name].must_be_alive()
                    await asyncio.sleep(0.1)

    def headers(self, organisation: UUID, person: UUID) -> dict[str, str]:
        return self.filled.headers("export", organisation, person)


async def _is_ready(http: httpx.AsyncClient, url: str) -> bool:
    try:
        return (await http.get(f"{url}/health/ready")).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False


@asynccontextmanager
async def export_world(seed: str, sizes: list[int]) -> AsyncIterator[ExportWorld]:
    async with AsyncExitStack() as stack:
        servers = stack.enter_context(embedded_servers())
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        databases = Databases(servers)
        issuers = {name: TestIssuer(name) for name in ("participants", "export", "manage_ects")}
        participants, export = await databases.new("participants"), await databases.new("export")
        filled = Filled(participants, export, folder, issuers, {size: uuid4() for size in sizes})
        await fill(filled)
        auth = await stack.enter_async_context(standing_in_for_auth(issuers))
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        store = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        store.start()
        stack.callback(store.stop)
        ports = free_ports(4)
        way = Way(ports[0], store.get_host_and_port()[1])
        await way.open()
        stack.push_async_callback(way.cut)
        store_url = f"http://127.0.0.1:{way.to}"
        async with httpx.AsyncClient() as http:
            (await http.put(f"{store_url}/exports")).raise_for_status()
        told = {
            "CHECK_DATA_REDIS_URL": servers.new_redis_url(),
            "CHECK_DATA_AUTH_URL": auth,
            "CHECK_DATA_FEED_URLS": '{"manage_ects": "http://127.0.0.1:9"}',
            "CHECK_DATA_PARTICIPANTS_URL": f"http://127.0.0.1:{ports[1]}",
            "CHECK_DATA_EXPORT_STORE": "s3://exports",
            "CHECK_DATA_EXPORT_STORE_PLAIN_HTTP": "true",
            "CHECK_DATA_EXPORT_LIMIT_HOUR": "100000",
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{way.port}",
            "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "nobody",
            "AWS_SECRET_ACCESS_KEY": "nothing",
        }
        services, urls = {}, {}
        for name, port in zip(("participants", "export-1", "export-2"), ports[1:], strict=True):
            database = participants if name == "participants" else export
            environment = told | {
                "FAULTS_SERVE": name.partition("-")[0],
                "CHECK_DATA_PORT": str(port),
                "CHECK_DATA_DATABASE_URL": database.service_url,
                "CHECK_DATA_READER_DATABASE_URL": database.extra_urls.get("participants_reader", ""),
            }
            services[name] = Service(SERVE, name, environment, folder / f"{name}.log")
            urls[name] = f"http://127.0.0.1:{port}"
            services[name].start()
            stack.callback(services[name].stop)
        engine = create_engine(export.service_url, pool_size=2)
        stack.push_async_callback(engine.dispose)
        world = ExportWorld(filled, engine, way, store_url, services, urls, random.Random(seed))
        await world.ready()
        yield world


def say(text: str) -> None:
    sys.stderr.write(text + "\n")

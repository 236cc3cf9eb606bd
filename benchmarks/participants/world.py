"""A filled database, and participants served from it over HTTP on this machine."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncpg
import uvicorn
from fastapi import APIRouter, FastAPI, Response
from pydantic import SecretStr

from benchmarks.participants.filling import Filled, fill
from benchmarks.participants.looking import Look
from services.participants.app import create
from services.participants.settings import ParticipantsSettings
from shared.database.provision import ServiceDatabase
from shared.embedded.ports import free_ports
from shared.web.app import create_app
from shared.web.tokens import TokenVerifier
from tests.databases import Databases
from tests.servers import Servers
from tests.tokens import TestIssuer

MOST_SECONDS_OF_THE_OTHERS = 600
"""While other sides have their turns, a client's connection rests."""


@dataclass(frozen=True, slots=True)
class World:
    database: ServiceDatabase
    filled: Filled

    @property
    def reader_url(self) -> str:
        return self.database.extra_urls["participants_reader"]


async def filled_world(servers: Servers, participants: int, partners: int, *, everybody: bool) -> World:
    database = await Databases(servers).new("participants")
    filled = await fill(database.owner_url, participants, partners, everybody=everybody)
    connection = await asyncpg.connect(servers.postgres_admin_url)
    await connection.execute("CHECKPOINT")
    await connection.close()
    return World(database, filled)


@asynccontextmanager
async def served(servers: Servers, world: World, issuer: TestIssuer) -> AsyncIterator[int]:
    """Participants as it runs. Yields its port."""
    settings = ParticipantsSettings(
        database_url=SecretStr(world.database.service_url),
        reader_database_url=SecretStr(world.reader_url),
        redis_url=SecretStr(servers.new_redis_url()),
        feed_urls={"manage_ects": "http://127.0.0.1:9"},
    )
    async with _listening(create(settings, keys=issuer.keys)) as port:
        yield port


@asynccontextmanager
async def from_memory(issuer: TestIssuer, body: bytes, least: Look) -> AsyncIterator[int]:
    """An application with the same frame (token, trace, metrics) that answers one body. Yields its port.

    /participants: nothing else. /least: after what cannot be left out.
    """
    router = APIRouter()

    @router.get("/participants")
    async def answer() -> Response:
        return Response(body, media_type="application/json")

    @router.get("/least")
    async def answer_after_the_least() -> Response:
        await least()
        return Response(body, media_type="application/json")

    @asynccontextmanager
    async def nothing(_app: FastAPI) -> AsyncIterator[None]:
        yield

    verifier = TokenVerifier("participants", issuer.keys)
    app = create_app("Memory", routers=[router], lifespan=nothing, ready={}, verifier=verifier)
    async with _listening(app) as port:
        yield port


@asynccontextmanager
async def _listening(app: FastAPI) -> AsyncIterator[int]:
    port = free_ports(1)[0]
    config = uvicorn.Config(
        app, port=port, log_config=None, access_log=False, timeout_keep_alive=MOST_SECONDS_OF_THE_OTHERS
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:
        if serving.done():
            await serving
            raise RuntimeError("the server did not start")
        await asyncio.sleep(0.05)
    try:
        yield port
    finally:
        server.should_exit = True
        await serving

"""Participants and export as processes of their own, organisations of made-up rows, a stand-in for auth."""

import asyncio
import os
import socket
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from shared.contracts.auth import IssuedToken, TokenRequest
from shared.contracts.roles import Role
from shared.database.provision import ServiceDatabase
from tests.databases import Databases
from tests.servers import embedded_servers
from tests.tokens import TestIssuer

# Without the index of the search, which takes minutes to fill and is not asked here.
NO_SEARCH = "DROP INDEX participant_views_search"
FILL = """
    INSERT INTO participant_views (participant_id, organisation_id, organisation_kind, full_name, sort_name,
        email, trn, role, lead_provider, school, urn, academic_year, training_status, status, state,
        status_since, search_text)
    SELECT gen_random_uuid(), $1, 'delivery_partner', 'Person Number ' || i,
        lpad(((i * 7919) % 999983)::text, 7, '0'), 'person.' || i || '@example.org',
        lpad(i::text, 7, '0'), CASE WHEN i % 3 = 0 THEN 'mentor' ELSE 'ect' END,
        'Brightwater Teacher Development', 'School of Somewhere ' || (i % 20000),
        '1' || lpad((i % 20000)::text, 5, '0'), 2021 + i % 6, 'active',
        'checking_qts', 'checks_not_complete', now(), ''
    FROM generate_series(1::bigint, $2::bigint) AS i
"""
READY_SECONDS = 60.0


@dataclass
class World:
    participants: ServiceDatabase
    export: ServiceDatabase
    folder: Path
    issuers: dict[str, TestIssuer]
    organisations: dict[int, UUID]
    """By number of rows."""
    urls: dict[str, str] = field(default_factory=dict)
    processes: dict[str, asyncio.subprocess.Process] = field(default_factory=dict)

    def headers(self, service: str, organisation: UUID, person: UUID | None = None) -> dict[str, str]:
        token = self.issuers[service].person(person or uuid4(), Role.DELIVERY_PARTNER, organisation)
        return {"authorization": f"Bearer {token}"}

    def peak(self, service: str) -> float:
        """MiB that the process has had in memory at most."""
        status = Path(f"/proc/{self.processes[service].pid}/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) / 1024


@asynccontextmanager
async def open_world(sizes: list[int]) -> AsyncIterator[World]:
    with embedded_servers() as servers, tempfile.TemporaryDirectory() as folder:
        databases = Databases(servers)
        issuers = {name: TestIssuer(name) for name in ("participants", "export", "manage_ects")}
        organisations = {size: uuid4() for size in sizes}
        participants, export = await databases.new("participants"), await databases.new("export")
        world = World(participants, export, Path(folder), issuers, organisations)
        await fill(world)
        async with AsyncExitStack() as stack:
            auth = await stack.enter_async_context(standing_in_for_auth(issuers))
            redis_url = servers.new_redis_url()
            for name, database in (("participants", participants), ("export", export)):
                await stack.enter_async_context(_serving(world, name, database, auth, redis_url))
            yield world


async def fill(world: World) -> None:
    owner = await asyncpg.connect(world.participants.owner_url)
    await owner.execute(NO_SEARCH)
    service = await asyncpg.connect(world.participants.service_url)
    for size, organisation in world.organisations.items():
        await service.execute(FILL, organisation, size)
    await owner.execute("VACUUM ANALYZE participant_views")
    await service.close()
    await owner.close()


@asynccontextmanager
async def standing_in_for_auth(issuers: dict[str, TestIssuer]) -> AsyncIterator[str]:
    """Gives tokens on behalf of anybody, and the keys that prove them."""

    async def tokens(request: Request) -> Response:
        asked = TokenRequest.model_validate_json(await request.body())
        issuer = issuers[asked.audience]
        person = asked.on_behalf_of
        token = (
            issuer.person(person.person_id, person.role, person.organisation_id)
            if person
            else issuer.service("export")
        )
        return Response(IssuedToken(token=token, expires_in=60).model_dump_json())

    async def keys(_request: Request) -> Response:
        return JSONResponse({"keys": [issuer.published for issuer in issuers.values()]})

    port = _free_port()
    app = Starlette(
        routes=[Route("/tokens", tokens, methods=["POST"]), Route("/.well-known/jwks.json", keys)]
    )
    server = uvicorn.Server(uvicorn.Config(app, port=port, lifespan="off", log_config=None))
    task = asyncio.create_task(server.serve())
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    await task


@asynccontextmanager
async def _serving(
    world: World, name: str, database: ServiceDatabase, auth: str, redis_url: str
) -> AsyncIterator[None]:
    port = _free_port()
    world.urls[name] = f"http://127.0.0.1:{port}"
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        f"import uvicorn; from services.{name} import app, settings;"
        f"uvicorn.run(app.create(settings.Settings()), port={port}, log_level='error', access_log=False)",
        env={
            **os.environ,
            "CHECK_DATA_DATABASE_URL": database.service_url,
            "CHECK_DATA_READER_DATABASE_URL": database.extra_urls.get("participants_reader", ""),
            "CHECK_DATA_REDIS_URL": redis_url,
            "CHECK_DATA_AUTH_URL": auth,
            "CHECK_DATA_PARTICIPANTS_URL": world.urls["participants"],
            "CHECK_DATA_FEED_URLS": '{"manage_ects": "http://127.0.0.1:9"}',  # nobody has anything to tell
            "CHECK_DATA_EXPORT_STORE": world.folder.as_uri(),
            "CHECK_DATA_EXPORT_PLACES_EACH": "3",
        },
        stdout=asyncio.subprocess.DEVNULL,
    )
    world.processes[name] = process
    try:
        await _ready(name, world.urls[name], process)
        yield
    finally:
        process.terminate()
        await process.wait()


async def _ready(name: str, url: str, process: asyncio.subprocess.Process) -> None:
    async with httpx.AsyncClient() as http, asyncio.timeout(READY_SECONDS):
        while True:
            if process.returncode is not None:
                raise RuntimeError(f"{name} did not start: what it says of it is above")
            try:
                if (await http.get(f"{url}/health/ready")).status_code == httpx.codes.OK:
                    return
            except httpx.HTTPError:
                pass
            await asyncio.sleep(0.1)


def _free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port: int = listening.getsockname()[1]
        return port

import asyncio
import json
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from fastapi import FastAPI
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.participants.app import create
from services.participants.settings import ParticipantsSettings
from shared.contracts.envelope import CloudEvent
from shared.contracts.roles import Role
from shared.database.engine import create_engine
from shared.database.provision import ServiceDatabase
from tests.conftest import NewDatabase
from tests.databases import Databases
from tests.integration.participants.many import Filled, filled
from tests.integration.participants.world import Hub, as_json, hub
from tests.servers import Servers
from tests.tokens import TestIssuer

LIMIT_SECONDS = 3.0
"""How far a replica may be behind."""


@dataclass
class MovingClock:
    now: datetime = datetime(2026, 3, 2, 10, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@dataclass
class Participants:
    """The running service, and how others reach it."""

    app: FastAPI
    http: httpx.AsyncClient
    issuer: TestIssuer
    database: ServiceDatabase
    engine: AsyncEngine
    reader: AsyncEngine
    clock: MovingClock
    person_id: UUID
    session_id: UUID | None = None

    async def send(self, events: Iterable[CloudEvent]) -> dict[str, Any]:
        """POST as Manage ECTs, and wait until the rows are up with the log."""
        answer = await self.post(as_json(events))
        assert answer.status_code == 200, answer.text
        await self.is_up_to_date()
        body: dict[str, Any] = answer.json()
        return body

    async def post(self, body: object) -> httpx.Response:
        token = self.issuer.service("manage_ects")
        return await self.http.post(
            "/events",
            content=json.dumps(body),
            headers={"authorization": f"Bearer {token}", "content-type": "application/json"},
        )

    async def get(
        self,
        path: str,
        organisation: UUID,
        params: dict[str, Any] | None = None,
        role: Role = Role.DELIVERY_PARTNER,
    ) -> httpx.Response:
        token = self.issuer.person(self.person_id, role, organisation, self.session_id)
        return await self.http.get(path, params=params, headers={"authorization": f"Bearer {token}"})

    async def page(self, organisation: UUID, **params: Any) -> dict[str, Any]:
        answer = await self.get("/participants", organisation, params)
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        return body

    async def names(self, organisation: UUID, **params: Any) -> list[str]:
        return [row["full_name"] for row in (await self.page(organisation, **params))["rows"]]

    async def is_up_to_date(self, seconds: float = 20) -> None:
        await self.becomes("SELECT count(*) FROM derivations_due", 0, seconds)

    async def becomes(self, statement: str, value: object, seconds: float = 20) -> None:
        async with asyncio.timeout(seconds):
            while await self.scalar(statement) != value:
                await asyncio.sleep(0.02)

    async def scalar(self, statement: str) -> Any:
        async with self.engine.connect() as connection:
            return await connection.scalar(text(statement))

    async def rows(self, statement: str) -> list[tuple[Any, ...]]:
        async with self.engine.connect() as connection:
            return [tuple(row) for row in await connection.execute(text(statement))]


@asynccontextmanager
async def serving(
    database: ServiceDatabase,
    redis_url: str,
    clock: MovingClock,
    partitions: int = 1,
    replica_url: str | None = None,
) -> AsyncIterator[Participants]:
    issuer = TestIssuer("participants")
    reader_url = database.extra_urls["participants_reader"]
    settings = ParticipantsSettings(
        database_url=SecretStr(database.service_url),
        reader_database_url=SecretStr(reader_url),
        redis_url=SecretStr(redis_url),
        feed_urls={"manage_ects": "http://127.0.0.1:9"},
        bus_partitions=partitions,
        reader_replica_database_url=SecretStr(replica_url) if replica_url else None,
        reader_replica_limit_seconds=LIMIT_SECONDS,
    )
    app = create(settings, keys=issuer.keys, clock=clock)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(app.router.lifespan_context(app))
        http = await stack.enter_async_context(
            httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://participants")
        )
        engine, reader = create_engine(database.service_url), create_engine(reader_url)
        stack.push_async_callback(engine.dispose)
        stack.push_async_callback(reader.dispose)
        yield Participants(app, http, issuer, database, engine, reader, clock, uuid4())


@pytest.fixture
async def database(new_database: NewDatabase) -> ServiceDatabase:
    return await new_database("participants")


@pytest.fixture
async def fresh(database: ServiceDatabase, redis_url: str) -> AsyncIterator[Participants]:
    """A service of its own, with nothing in it."""
    async with serving(database, redis_url, MovingClock()) as service:
        yield service


@pytest.fixture(scope="session")
async def served_hub(servers: Servers, databases: Databases) -> AsyncIterator[tuple[Participants, Hub]]:
    """One service with the hub in it, for all tests that only read."""
    database = await databases.new("participants")
    async with serving(database, servers.new_redis_url(), MovingClock()) as service:
        made = hub()
        answer = await service.send(made.world.told)
        assert answer["accepted"] == len(made.world.told)
        yield service, made


@pytest.fixture
def participants(served_hub: tuple[Participants, Hub]) -> Participants:
    """Read only. Each test is another person."""
    return replace(served_hub[0], person_id=uuid4())


@pytest.fixture
def north(served_hub: tuple[Participants, Hub]) -> Hub:
    return served_hub[1]


@pytest.fixture(scope="session")
async def lists(databases: Databases) -> AsyncIterator[Filled]:
    """Long ones, written straight into the read model. Read only."""
    async with filled(databases) as made:
        yield made

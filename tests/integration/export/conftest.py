import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.export.app import create
from services.export.handlers import Exports
from services.export.settings import ExportSettings
from shared.contracts.roles import Role
from shared.database.engine import create_engine
from shared.database.provision import ServiceDatabase
from tests.conftest import NewDatabase
from tests.integration.export.neighbours import Neighbours, serving
from tests.tokens import TestIssuer


@dataclass
class MovedClock:
    """The system's clock, moved on."""

    ahead: timedelta = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@dataclass(frozen=True)
class Asker:
    """A person in a role of an organisation."""

    person_id: UUID = field(default_factory=uuid4)
    role: Role = Role.DELIVERY_PARTNER
    organisation_id: UUID = field(default_factory=uuid4)


@dataclass
class ExportService:
    """The service under test, its store and its neighbours."""

    settings: ExportSettings
    issuer: TestIssuer
    clock: MovedClock
    neighbours: Neighbours
    engine: AsyncEngine
    folder: Path
    http: httpx.AsyncClient = field(init=False)
    app: FastAPI = field(init=False)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        self.app = app = create(self.settings, keys=self.issuer.keys, clock=self.clock)
        transport = httpx.ASGITransport(app)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url="http://export") as self.http,
        ):
            yield

    def exports(self) -> Exports:
        exports: Exports = self.app.state.exports
        return exports

    async def call(
        self, asker: Asker, method: str, path: str, *, headers: Mapping[str, str] = {}, **body: Any
    ) -> httpx.Response:
        token = self.issuer.person(asker.person_id, asker.role, asker.organisation_id)
        headers = {"authorization": f"Bearer {token}", **headers}
        return await self.http.request(method, path, headers=headers, json=body or None)

    async def ask(
        self, asker: Asker, key: UUID | None = None, shape: Mapping[str, Any] = {}, **query: Any
    ) -> httpx.Response:
        body = {"query": query, "idempotency_key": str(key or uuid4()), **shape}
        return await self.call(asker, "POST", "/exports", **body)

    async def asked(self, asker: Asker, **query: Any) -> str:
        answer = await self.ask(asker, **query)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["export_id"])

    async def export(self, asker: Asker, export_id: str) -> dict[str, Any]:
        answer = await self.call(asker, "GET", f"/exports/{export_id}")
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        return body

    async def file(self, asker: Asker, export_id: str, **headers: str) -> httpx.Response:
        return await self.call(asker, "GET", f"/exports/{export_id}/file", headers=headers)

    async def until(self, asker: Asker, export_id: str, state: str) -> dict[str, Any]:
        """Wait until the export is in this state, and return it."""

        async def reached() -> bool:
            return bool((await self.export(asker, export_id))["state"] == state)

        await eventually(reached)
        return await self.export(asker, export_id)

    async def sql(self, statement: str, **values: Any) -> list[Any]:
        async with self.engine.begin() as connection:
            result = await connection.execute(text(statement), values)
            return list(result.scalars()) if result.returns_rows else []

    async def events(self, export_id: str) -> list[str]:
        return await self.sql(
            "SELECT type FROM events WHERE stream = :stream ORDER BY version", stream=f"export-{export_id}"
        )

    async def lease_is_over(self, tries: int | None = None) -> None:
        """As if half a minute had passed since the worker last said that it lives."""
        await self.sql(
            "UPDATE work SET due_at = clock_timestamp(), tries = coalesce(CAST(:tries AS int), tries)"
            " WHERE state = 'due'",
            tries=tries,
        )

    def files(self) -> list[Path]:
        """Whole files in the store."""
        return sorted(self.folder.glob("*.csv"))


async def eventually(condition: Callable[[], Awaitable[bool]], seconds: float = 15) -> None:
    async with asyncio.timeout(seconds):
        while not await condition():
            await asyncio.sleep(0.05)


@pytest.fixture
async def database(new_database: NewDatabase) -> ServiceDatabase:
    return await new_database("export")


@pytest.fixture
async def stopped(database: ServiceDatabase, redis_url: str, tmp_path: Path) -> AsyncIterator[ExportService]:
    """The service, not running yet."""
    async with serving() as neighbours:
        settings = ExportSettings.model_validate(
            {
                "database_url": database.service_url,
                "redis_url": redis_url,
                "auth_url": neighbours.url,
                "participants_url": neighbours.url,
                "service_secret": "not-a-secret",
                "export_store": (tmp_path / "files").as_uri(),
                "export_expiry_seconds": 0.1,
            }
        )
        engine = create_engine(database.service_url, pool_size=2)
        folder = tmp_path / "files"
        yield ExportService(settings, TestIssuer("export"), MovedClock(), neighbours, engine, folder)
        await engine.dispose()


@pytest.fixture
async def service(stopped: ExportService) -> AsyncIterator[ExportService]:
    async with stopped.running():
        yield stopped


@pytest.fixture
def asker() -> Asker:
    return Asker()

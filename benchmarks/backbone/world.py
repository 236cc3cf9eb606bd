"""Servers, databases, and the event and row that all sides of the backbone's benchmark use."""

import contextlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import ClassVar
from uuid import uuid4

import asyncpg
from redis.asyncio import Redis
from sqlalchemy import Table, text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.bus.publication import Publication
from shared.contracts.envelope import CloudEvent, PublishedEvent
from shared.database.engine import create_engine
from shared.database.provision import ServiceDatabase
from shared.event_store import Codec
from tests.databases import Databases
from tests.servers import Servers, embedded_servers

PER_STREAM = 10
"""Events in a stream, before the next one begins."""

ROWS = """
    CREATE TABLE participant_rows
        (subject text PRIMARY KEY, number integer NOT NULL, status text NOT NULL, at timestamptz NOT NULL)
"""
UPSERT = """
    INSERT INTO participant_rows (subject, number, status, at)
    SELECT DISTINCT ON (subject) subject, number, status, at
    FROM unnest(CAST({0} AS text[]), CAST({1} AS int[]), CAST({2} AS text[]), CAST({3} AS timestamptz[]))
        AS n (subject, number, status, at)
    ORDER BY subject, number DESC
    ON CONFLICT (subject) DO UPDATE SET number = excluded.number, status = excluded.status, at = excluded.at
"""


@dataclass(frozen=True, slots=True)
class Registered:
    participant: str
    number: int
    status: str
    school: str
    registered_at: datetime


class RegisteredV1(PublishedEvent):
    type: ClassVar[str] = "benchmark.registered.v1"
    subject_field: ClassVar[str] = "participant"
    participant: str
    number: int
    status: str
    school: str
    registered_at: datetime


def publish(event: Registered) -> PublishedEvent:
    return RegisteredV1(
        participant=event.participant,
        number=event.number,
        status=event.status,
        school=event.school,
        registered_at=event.registered_at,
    )


CODEC: Codec[Registered] = Codec({"Registered": Registered})
PUBLICATION: Publication[Registered] = Publication("benchmark", "/benchmark", publish)


def now() -> datetime:
    return datetime.now(UTC)


def registered(stream: str, number: int) -> Registered:
    return Registered(stream, number, "training", "Example Primary School", now())


def streams(count: int, each: int = PER_STREAM) -> list[tuple[str, int, list[Registered]]]:
    """`count` events about new streams: stream, version before, events; `each` at a time."""
    made = []
    for start in range(0, count, each):
        stream = f"participant-{uuid4()}"
        made.append((stream, 0, [registered(stream, n) for n in range(1, min(each, count - start) + 1)]))
    return made


class Rows:
    """Our projection: the batch is one upsert."""

    name = "participant_rows"
    publisher = "benchmark"
    tables: tuple[Table, ...] = ()
    _upsert = text(UPSERT.format(":subjects", ":numbers", ":statuses", ":ats"))

    async def apply(self, connection: AsyncConnection, events: Sequence[CloudEvent]) -> None:
        await connection.execute(
            self._upsert,
            {
                "subjects": [event.subject for event in events],
                "numbers": [event.data["number"] for event in events],
                "statuses": [event.data["status"] for event in events],
                "ats": [event.time for event in events],
            },
        )


@dataclass(frozen=True, slots=True)
class World:
    servers: Servers
    databases: Databases
    redis: Redis
    redis_url: str

    async def new_database(self) -> ServiceDatabase:
        """A migrated database of a service, with the rows of the projection."""
        database = await self.databases.new("plain")
        engine = create_engine(database.owner_url, pool_size=1)
        async with engine.begin() as connection:
            await connection.execute(text(ROWS))
            await connection.execute(
                text("GRANT SELECT, INSERT, UPDATE, DELETE ON participant_rows TO plain_service")
            )
        await engine.dispose()
        return database

    async def drop(self, database: ServiceDatabase) -> None:
        connection = await asyncpg.connect(self.servers.postgres_admin_url)
        await connection.execute(f"DROP DATABASE {database.name} WITH (FORCE)")
        await connection.close()

    async def settings(self) -> str:
        """Of the server, those that the numbers depend on."""
        connection = await asyncpg.connect(self.servers.postgres_admin_url)
        names = ("server_version", "fsync", "synchronous_commit", "shared_buffers", "max_wal_size")
        values = [f"{name} {await connection.fetchval(f'SHOW {name}')}" for name in names]
        await connection.close()
        info = await self.redis.info("server")
        return f"Postgres: {', '.join(values)}; Valkey {info.get('valkey_version', info['redis_version'])}"


@asynccontextmanager
async def open_world() -> AsyncIterator[World]:
    with embedded_servers() as servers:
        redis_url = servers.new_redis_url()
        redis: Redis = Redis.from_url(redis_url)
        try:
            yield World(servers, Databases(servers), redis, redis_url)
        finally:
            with contextlib.suppress(OSError):
                await redis.aclose()

"""A migration that has to wait for a table lets others read meanwhile, and is tried again."""

import asyncio
import time

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.database import migrate as migrating
from shared.database.engine import create_engine
from shared.database.migrate import migrate
from shared.database.provision import ServiceDatabase
from tests.conftest import NewDatabase

BACK_BY_ONE = """
    ALTER TABLE exports DROP COLUMN started_at, DROP COLUMN downloaded_at;
    DROP INDEX exports_unfinished_of_an_organisation;
    UPDATE alembic_version SET version_num = 'export_0003' WHERE version_num = 'export_0004'
"""


@pytest.fixture
async def database(new_database: NewDatabase) -> ServiceDatabase:
    """As the release before its newest columns left it."""
    database = await new_database("export")
    owner = create_engine(database.owner_url)
    await run_each(owner, BACK_BY_ONE)
    await owner.dispose()
    return database


async def run_each(owner: AsyncEngine, statements: str) -> None:
    """In one transaction. statements: with semicolons between them."""
    async with owner.begin() as connection:
        for statement in statements.split(";"):
            await connection.execute(text(statement))


async def test_a_long_reader_holds_up_the_migration_and_nobody_else(database: ServiceDatabase) -> None:
    service = create_engine(database.service_url)
    async with service.connect() as long_reader:
        await long_reader.execute(text("SELECT count(*) FROM exports"))
        migration = asyncio.create_task(
            migrate("export", database.owner_url, lock_milliseconds=200, pause_seconds=0.2)
        )
        slowest = 0.0
        until = time.monotonic() + 2
        while time.monotonic() < until:
            began = time.monotonic()
            async with service.connect() as reader:
                await reader.execute(text("SELECT count(*) FROM exports"))
            slowest = max(slowest, time.monotonic() - began)
            await asyncio.sleep(0.02)
        assert not migration.done()
        assert slowest < 1.5
    await asyncio.wait_for(migration, 30)
    async with service.connect() as connection:
        await connection.execute(text("SELECT downloaded_at FROM exports"))
    await service.dispose()


async def test_a_table_that_is_never_to_be_had_ends_it_and_the_next_try_goes_on(
    database: ServiceDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrating, "TRIES", 2)
    service = create_engine(database.service_url)
    async with service.connect() as long_reader:
        await long_reader.execute(text("SELECT count(*) FROM exports"))
        with pytest.raises(DBAPIError, match="lock timeout"):
            await migrate("export", database.owner_url, lock_milliseconds=100, pause_seconds=0)
    await migrate("export", database.owner_url)
    await service.dispose()


BEFORE_SETTLED_WORK_HAD_TO_SAY_SINCE_WHEN = """
    ALTER TABLE work DROP CONSTRAINT work_settled;
    INSERT INTO work (kind, key, data, trace, state) VALUES ('email', 'parked', '{}', '{}', 'parked');
    INSERT INTO work (kind, key, data, trace) VALUES ('email', 'due', '{}', '{}');
    UPDATE alembic_version SET version_num = 'backbone_0004' WHERE version_num = 'backbone_0005'
"""


A_PARKED_JOB_MORE = (
    "INSERT INTO work (kind, key, data, trace, state) VALUES ('email', 'late', '{}', '{}', 'parked')"
)
WAITING = "SELECT count(*) FROM pg_locks WHERE relation = 'work'::regclass AND NOT granted"


async def test_parked_jobs_that_do_not_say_since_when_are_mended(new_database: NewDatabase) -> None:
    """Also the one that the release before adds while the migration waits for the table."""
    database = await new_database("export")
    owner = create_engine(database.owner_url)
    await run_each(owner, BEFORE_SETTLED_WORK_HAD_TO_SAY_SINCE_WHEN)
    async with owner.begin() as running, asyncio.timeout(60), asyncio.TaskGroup() as group:
        await running.execute(text(A_PARKED_JOB_MORE))
        group.create_task(migrate("export", database.owner_url, lock_milliseconds=60_000))
        while not await running.scalar(text(WAITING)):
            await asyncio.sleep(0.02)
        await running.commit()
    async with owner.connect() as connection:
        settled = await connection.scalars(
            text("SELECT key FROM work WHERE settled_at IS NOT NULL ORDER BY key")
        )
        assert settled.all() == ["late", "parked"]
    await owner.dispose()

"""For whom participants are read, and the transaction that sees no others."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

import asyncpg
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.contracts.manage_ects import OrganisationKind
from shared.database.engine import driver_of


@dataclass(frozen=True, slots=True)
class Scope:
    """The organisation for which everything is read."""

    kind: OrganisationKind
    organisation_id: UUID


@asynccontextmanager
async def reading(engine: AsyncEngine, scope: Scope) -> AsyncIterator[asyncpg.Connection]:
    """One moment of the database, of which the organisation's rows are seen, on asyncpg's own connection.

    It begins and says for whom in one round trip, which takes no parameters: an ID and a member of an enum
    are all that goes into the text.
    """
    async with engine.connect() as connection:
        driver = await driver_of(connection)
        try:
            await driver.execute(
                "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;"
                f"SELECT set_config('check_data.organisation', '{scope.organisation_id}', true),"
                f" set_config('check_data.organisation_kind', '{scope.kind.value}', true)"
            )
            yield driver
        finally:
            if not driver.is_closed():
                await driver.execute("ROLLBACK")


@asynccontextmanager
async def snapshot(engine: AsyncEngine, scope: Scope) -> AsyncIterator[AsyncConnection]:
    """The same for SQLAlchemy's statements, which takes more round trips."""
    async with engine.connect() as raw:
        connection = await raw.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        async with connection.begin():
            await connection.execute(
                select(
                    func.set_config("check_data.organisation", str(scope.organisation_id), True),
                    func.set_config("check_data.organisation_kind", scope.kind.value, True),
                )
            )
            yield connection

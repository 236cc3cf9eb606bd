"""For whom participants are read, and the transaction that sees no others."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import asyncpg

from shared.contracts.manage_ects import OrganisationKind

WAIT_SECONDS: Final = 30.0
"""How long a reader waits for a connection while all are taken."""
CLOSE_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class Scope:
    """The organisation for which everything is read."""

    kind: OrganisationKind
    organisation_id: UUID


@asynccontextmanager
async def open_readers(url: str, size: int) -> AsyncIterator[asyncpg.Pool]:
    """At most `size` connections of the role participants_reader, made when they are needed.

    asyncpg's own pool: SQLAlchemy's took as long as the question (docs/decisions/0058). `reading` leaves a
    connection as it was, so nothing is reset in between.
    """
    readers = asyncpg.create_pool(
        url, min_size=0, max_size=size, reset=_as_it_was, server_settings={"timezone": "UTC"}
    )
    async with readers:
        try:
            yield readers
        finally:
            await _close(readers)


async def _as_it_was(_connection: object) -> None:
    return


async def _close(readers: asyncpg.Pool) -> None:
    """Wait for those who read, but not for ever."""
    try:
        async with asyncio.timeout(CLOSE_SECONDS):
            await readers.close()
    except TimeoutError:
        readers.terminate()


@asynccontextmanager
async def reading(readers: asyncpg.Pool, scope: Scope) -> AsyncIterator[asyncpg.Connection]:
    """One moment of the database, of which the organisation's rows are seen.

    It begins and says for whom in one round trip, which takes no parameters: an ID and a member of an enum
    are all that goes into the text.
    """
    async with readers.acquire(timeout=WAIT_SECONDS) as connection:
        try:
            await connection.execute(
                "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;"
                f"SELECT set_config('check_data.organisation', '{scope.organisation_id}', true),"
                f" set_config('check_data.organisation_kind', '{scope.kind.value}', true)"
            )
            yield connection
        finally:
            with suppress(asyncpg.InterfaceError):  # the server has closed it
                if not connection.is_closed():
                    await connection.execute("ROLLBACK")

"""For whom participants are read, and the transaction that sees no others."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass
from uuid import UUID

import asyncpg

from shared.contracts.manage_ects import OrganisationKind
from shared.database.pool import WAIT_SECONDS, open_pool


@dataclass(frozen=True, slots=True)
class Scope:
    """The organisation for which everything is read."""

    kind: OrganisationKind
    organisation_id: UUID


def open_readers(url: str, size: int) -> AbstractAsyncContextManager[asyncpg.Pool]:
    """At most `size` connections of the role participants_reader. `reading` leaves one as it was."""
    return open_pool(url, size)


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

"""For whom participants are read, and the statement or transaction that sees no others."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import asyncpg

from shared.contracts.manage_ects import OrganisationKind
from shared.database.pool import WAIT_SECONDS, open_pool

FOR_WHOM: Final = """
    WITH for_whom AS MATERIALIZED (
        SELECT set_config('check_data.organisation', CAST(CAST($1 AS uuid) AS text), true),
            set_config('check_data.organisation_kind', $2, true) AS kind
    )
    SELECT asked.* FROM for_whom CROSS JOIN LATERAL (
        SELECT * FROM ({question}) AS question WHERE for_whom.kind = $2 OFFSET 0
    ) AS asked
"""
"""A statement that says for whom it asks, before it asks: one round trip in place of three.

The question depends on what was said, and OFFSET 0 keeps the planner from taking the two apart. Were it
asked before, row-level security would still show it nothing.
"""


@dataclass(frozen=True, slots=True)
class Scope:
    """The organisation for which everything is read."""

    kind: OrganisationKind
    organisation_id: UUID


def open_readers(url: str, size: int) -> AbstractAsyncContextManager[asyncpg.Pool]:
    """At most `size` connections of the role participants_reader. `ask` and `reading` leave one as it was."""
    return open_pool(url, size, default_transaction_read_only="on")


async def ask(
    readers: asyncpg.Pool, question: str, values: Sequence[object], seconds: float = WAIT_SECONDS
) -> list[asyncpg.Record]:
    """The rows of one question, of the organisation whose ID and kind are its first two values.

    question: SQL that begins with SELECT or WITH. Its rows are joined to one row, so they keep their order.
    seconds: for a connection while all are taken, and as long for the answer. Raises TimeoutError then.
    """
    async with readers.acquire(timeout=seconds) as connection:
        text = FOR_WHOM.format(question=question)
        try:
            records: list[asyncpg.Record] = await connection.fetch(text, *values, timeout=seconds)
        except TimeoutError:
            connection.terminate()  # or giving it back would wait for a server that does not answer
            raise
        return records


@asynccontextmanager
async def reading(
    readers: asyncpg.Pool, scope: Scope, seconds: float = WAIT_SECONDS
) -> AsyncIterator[asyncpg.Connection]:
    """One moment of the database for several statements, of which the organisation's rows are seen.

    It begins and says for whom in one round trip, which takes no parameters: an ID and a member of an enum
    are all that goes into the text. seconds: to begin in. Raises TimeoutError then.
    """
    async with readers.acquire(timeout=seconds) as connection:
        try:
            await connection.execute(
                "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;"
                f"SELECT set_config('check_data.organisation', '{scope.organisation_id}', true),"
                f" set_config('check_data.organisation_kind', '{scope.kind.value}', true)",
                timeout=seconds,
            )
            yield connection
        finally:
            with suppress(asyncpg.InterfaceError):  # the server has closed it
                if not connection.is_closed():
                    await connection.execute("ROLLBACK")

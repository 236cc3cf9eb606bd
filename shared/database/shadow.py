"""Empty twins of a database's tables, in which rows can be made anew beside the live ones.

A twin is a temporary table of the same name. Postgres looks there first, so code that writes to `people`
writes to the twin, unchanged; the live table is `public.people`. Twins go with the session, whatever ends it.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from sqlalchemy import MetaData, Table, text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.database.engine import create_engine

LIVE, TWIN = "public", "pg_temp"

_TWINS = text("""
    SELECT format(
        CASE relkind WHEN 'S' THEN 'CREATE TEMPORARY SEQUENCE %1$I'
                     ELSE 'CREATE TEMPORARY TABLE %1$I (LIKE public.%1$I INCLUDING ALL)' END,
        relname
    )
    FROM pg_class c
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'S')
    AND relname <> ALL (CAST(:sources AS text[]))
    AND NOT EXISTS (  -- the sequence of an identity column comes with its table
        SELECT FROM pg_depend
        WHERE classid = 'pg_class'::regclass AND objid = c.oid AND deptype IN ('a', 'i')
    )
""")


def live(table: Table) -> Table:
    """The live table, for statements in a session in which its bare name is the twin's."""
    return table.to_metadata(MetaData(), schema=LIVE)


class Shadow:
    """A session with twins."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[AsyncConnection]:
        """A transaction, or a part of the one that is open, that can write to twins and to nothing else.

        Postgres itself sees to it: a read-only transaction may write to temporary tables.
        """
        connection = self._connection
        async with connection.begin_nested() if connection.in_transaction() else connection.begin():
            await connection.execute(text("SET TRANSACTION READ ONLY"))
            yield connection

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[AsyncConnection]:
        """A transaction in which the live tables stand still, and cannot be written to."""
        async with self._connection.begin():
            await self._connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))
            yield self._connection

    @asynccontextmanager
    async def swap(self) -> AsyncIterator[AsyncConnection]:
        """The one transaction that may write to live tables."""
        async with self._connection.begin():
            yield self._connection


@asynccontextmanager
async def shadowed(owner_url: str, sources: Sequence[Table]) -> AsyncIterator[Shadow]:
    """A session of the tables' owner with a twin of every table, save the sources: those are read live.

    owner_url: the owner may make temporary tables and sees all rows; the service's own role may neither.
    """
    engine = create_engine(owner_url, pool_size=1)
    try:
        async with engine.connect() as connection:
            async with connection.begin():
                statements = await connection.scalars(_TWINS, {"sources": [table.name for table in sources]})
                for statement in statements.all():
                    await connection.execute(text(statement))
            yield Shadow(connection)
    finally:
        await engine.dispose()

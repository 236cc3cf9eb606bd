"""How a live table differs from its twin (shadow.py), and how it is made the same, row by row.

By rows and not by a rename: indexes, privileges, row-level security and open readers stay with the table.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Table, text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.database.shadow import LIVE, TWIN

_COLUMNS = text("""
    SELECT attname FROM pg_attribute
    WHERE attrelid = CAST(:table AS regclass) AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
    ORDER BY attnum
""")


@dataclass(frozen=True, slots=True)
class Difference:
    """Rows that are the same in both, only in the twin, different, only in the live table."""

    same: int
    added: int
    changed: int
    removed: int

    def __bool__(self) -> bool:
        """Whether there is any."""
        return (self.added, self.changed, self.removed) != (0, 0, 0)


async def compare(connection: AsyncConnection, table: Table) -> Difference:
    """Count how the live table would change, in one pass over both."""
    await connection.execute(text(f"ANALYZE {TWIN}.{table.name}"))  # for temporary tables nobody else does
    columns = await _columns(connection, table)
    first = _key(table)[0]
    return await count(
        connection,
        f"""SELECT
            count(*) FILTER (WHERE {_row("live", columns)} IS NOT DISTINCT FROM {_row("new", columns)}),
            count(*) FILTER (WHERE live.{first} IS NULL),
            count(*) FILTER (WHERE live.{first} = new.{first}
                AND {_row("live", columns)} IS DISTINCT FROM {_row("new", columns)}),
            count(*) FILTER (WHERE new.{first} IS NULL)
        FROM {LIVE}.{table.name} AS live FULL JOIN {TWIN}.{table.name} AS new ON {_same_key(table)}""",  # noqa: S608
    )


async def count(connection: AsyncConnection, query: str, **parameters: object) -> Difference:
    """The difference that a query counts: same, added, changed, removed."""
    return Difference(*(await connection.execute(text(query), parameters)).one())


async def make_same(connection: AsyncConnection, table: Table) -> None:
    """Remove, change and add rows of the live table until it holds what the twin does."""
    columns = await _columns(connection, table)
    key = _key(table)
    others = [column for column in columns if column not in key]
    live, twin = f"{LIVE}.{table.name}", f"{TWIN}.{table.name}"
    statements = [
        f"DELETE FROM {live} AS live WHERE NOT EXISTS (SELECT FROM {twin} AS new WHERE {_same_key(table)})",  # noqa: S608
        f"INSERT INTO {live} ({', '.join(columns)}) SELECT {', '.join(columns)} FROM {twin} AS new"  # noqa: S608
        f" WHERE NOT EXISTS (SELECT FROM {live} AS live WHERE {_same_key(table)})",
    ]
    if others:
        statements.insert(
            1,
            f"UPDATE {live} AS live SET {', '.join(f'{name} = new.{name}' for name in others)}"  # noqa: S608
            f" FROM {twin} AS new WHERE {_same_key(table)}"
            f" AND {_row('live', others)} IS DISTINCT FROM {_row('new', others)}",
        )
    for statement in statements:
        await connection.execute(text(statement))


async def _columns(connection: AsyncConnection, table: Table) -> Sequence[str]:
    """As the database knows them: it may be a migration ahead of this code."""
    return (await connection.scalars(_COLUMNS, {"table": f"{LIVE}.{table.name}"})).all()


def _key(table: Table) -> list[str]:
    return [column.name for column in table.primary_key]


def _same_key(table: Table) -> str:
    return " AND ".join(f"live.{name} = new.{name}" for name in _key(table))


def _row(of: str, columns: Sequence[str]) -> str:
    return f"({', '.join(f'{of}.{name}' for name in columns)})"

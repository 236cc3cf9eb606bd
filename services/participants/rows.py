"""Rows that are replaced as a set: those of some participants, in one table."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import Column, Table, text
from sqlalchemy.ext.asyncio import AsyncConnection


async def replace_rows(
    connection: AsyncConnection, table: Table, participants: Collection[UUID], rows: str
) -> None:
    """Make `rows` all that the table holds of these participants.

    A row that is the same already is not written: most derivations change little, and indexes for search
    are dear to write. rows: a JSON array of objects with every column of the table, whose key begins with
    participant_id.
    """
    for statement in _replacing(table):
        await connection.execute(text(statement), {"participants": list(participants), "rows": rows})


async def replace_rows_and_tell(
    connection: AsyncConnection, table: Table, participants: Collection[UUID], rows: str, column: Column[UUID]
) -> set[UUID]:
    """The same. Returns what this column holds in the rows that were removed, changed or added."""
    told: set[UUID] = set()
    for statement in _replacing(table):
        returning = text(f"{statement} RETURNING {table.name}.{column.name}")
        changed = await connection.scalars(returning, {"participants": list(participants), "rows": rows})
        told.update(changed)
    return told


def _replacing(table: Table) -> tuple[str, str]:
    """Remove those that are no more, then write those that differ."""
    key = [column.name for column in table.primary_key]
    others = [column.name for column in table.columns if column.name not in key]
    same_key = " AND ".join(f"new.{name} = {table.name}.{name}" for name in key)
    new = f"json_populate_recordset(NULL::{table.name}, CAST(:rows AS json))"
    return (
        f"DELETE FROM {table.name} WHERE participant_id = ANY (CAST(:participants AS uuid[]))"  # noqa: S608
        f" AND NOT EXISTS (SELECT FROM {new} AS new WHERE {same_key})",
        f"INSERT INTO {table.name} SELECT * FROM {new}"  # noqa: S608
        f" ON CONFLICT ({', '.join(key)})"
        f" DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in others)}"
        f" WHERE ({', '.join(f'{table.name}.{name}' for name in others)})"
        f" IS DISTINCT FROM ({', '.join(f'excluded.{name}' for name in others)})",
    )

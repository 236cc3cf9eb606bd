"""Rows that are replaced as a set: those of some participants, in one table."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Row, Table, text
from sqlalchemy.ext.asyncio import AsyncConnection


async def replace_rows(
    connection: AsyncConnection,
    table: Table,
    participants: Collection[UUID],
    rows: Sequence[Mapping[str, object]],
) -> list[Row[Any]]:
    """Make `rows` all that the table holds of these participants. Returns the rows that this changed.

    A row that is the same already is not written: most derivations change little, and indexes for search
    are dear to write. The rows have every column of the table; its key begins with participant_id.
    """
    key = [column.name for column in table.primary_key]
    others = [column.name for column in table.columns if column.name not in key]
    parameters = {"participants": list(participants), "rows": orjson.dumps(rows).decode()}
    same_key = " AND ".join(f"new.{name} = {table.name}.{name}" for name in key)
    new = f"json_populate_recordset(NULL::{table.name}, CAST(:rows AS json))"
    gone = text(
        f"DELETE FROM {table.name} WHERE participant_id = ANY (CAST(:participants AS uuid[]))"  # noqa: S608
        f" AND NOT EXISTS (SELECT FROM {new} AS new WHERE {same_key}) RETURNING *"
    )
    written = text(
        f"INSERT INTO {table.name} SELECT * FROM {new}"  # noqa: S608
        f" ON CONFLICT ({', '.join(key)})"
        f" DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in others)}"
        f" WHERE ({', '.join(f'{table.name}.{name}' for name in others)})"
        f" IS DISTINCT FROM ({', '.join(f'excluded.{name}' for name in others)}) RETURNING *"
    )
    changed = list((await connection.execute(gone, parameters)).all())
    return changed + list((await connection.execute(written, parameters)).all())

"""The limit: the same rows, made already, by COPY and upsert into the same tables, indexes and triggers."""

import io
import time
from collections.abc import Iterator, Mapping, Sequence

import asyncpg

ROWS_IN_TRANSACTION = 20_000

LOG = {
    "received_events": ("event_id", "subject", "type", "sequence", "time", "received_at", "data"),
}
READ_MODEL = {
    "subject_references": (),
    "mentor_namings": (),
    "participant_views": (),
    "status_history": (),
}
"""By table the columns that are written; () for all of them."""

KEYS = {
    "received_events": ("event_id",),
    "subject_references": ("referred_id", "referrer_id"),
    "mentor_namings": ("participant_id", "mentor_participant_id", "number"),
    "participant_views": ("participant_id", "organisation_id", "organisation_kind"),
    "status_history": ("participant_id", "organisation_id", "organisation_kind", "number"),
}

Made = Mapping[str, Sequence[bytes]]
"""By table its rows as COPY writes them, so many for each transaction."""


async def made(url: str, tables: Mapping[str, tuple[str, ...]]) -> dict[str, list[bytes]]:
    """All rows of these tables, in the order in which they lie there."""
    connection = await asyncpg.connect(url)
    try:
        return {table: list(_portions(await _copied(connection, table, tables[table]))) for table in tables}
    finally:
        await connection.close()


async def _copied(connection: asyncpg.Connection, table: str, columns: tuple[str, ...]) -> bytes:
    out = io.BytesIO()
    await connection.copy_from_table(table, columns=columns or None, output=out)
    return out.getvalue()


def _portions(rows: bytes) -> Iterator[bytes]:
    lines = rows.splitlines(keepends=True)
    for start in range(0, len(lines), ROWS_IN_TRANSACTION):
        yield b"".join(lines[start : start + ROWS_IN_TRANSACTION])


async def seconds_to_load(url: str, rows: Made) -> float:
    """COPY each portion into a temporary table, and from there into its own, a transaction for each."""
    connection = await asyncpg.connect(url)
    try:
        begun = time.perf_counter()
        for table, portions in rows.items():
            await _load(connection, table, portions)
        return time.perf_counter() - begun
    finally:
        await connection.close()


async def _load(connection: asyncpg.Connection, table: str, portions: Sequence[bytes]) -> None:
    columns = LOG.get(table) or tuple(
        row["attname"]
        for row in await connection.fetch(
            "SELECT attname FROM pg_attribute WHERE attrelid = CAST($1::text AS regclass)"
            " AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
            table,
        )
    )
    listed, key = ", ".join(columns), ", ".join(KEYS[table])
    others = [name for name in columns if name not in KEYS[table]]
    await connection.execute(
        f"CREATE TEMPORARY TABLE new_{table} ON COMMIT DELETE ROWS AS SELECT {listed} FROM {table} LIMIT 0"  # noqa: S608
    )
    update = f"UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in others)}"
    upsert = (
        f"INSERT INTO {table} ({listed}) SELECT {listed} FROM new_{table}"  # noqa: S608
        f" ON CONFLICT ({key}) DO {'NOTHING' if table in LOG else update}"
    )
    for portion in portions:
        async with connection.transaction():
            await connection.copy_to_table(f"new_{table}", source=io.BytesIO(portion), columns=columns)
            await connection.execute(upsert)

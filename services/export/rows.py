"""Own events → the table `exports`, and what is asked of it."""

from collections.abc import Collection, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Column, DateTime, MetaData, Row, Table, Text, Uuid, func, select
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.export.domain.events import (
    Downloaded,
    Event,
    ExportCancelled,
    ExportExpired,
    ExportFailed,
    ExportId,
    ExportRequested,
    ExportWritten,
    Owner,
    PersonId,
    WritingStarted,
)
from services.export.domain.export_job import UNFINISHED, AlreadyOver, Stage
from shared.event_store import Recorded

exports = Table(
    "exports",
    MetaData(),
    Column("export_id", Uuid, primary_key=True),
    Column("person_id", Uuid, nullable=False),
    Column("role", Text, nullable=False),
    Column("organisation_id", Uuid, nullable=False),
    Column("query", JSONB, nullable=False),
    Column("shape", JSONB, nullable=False),
    Column("file_name", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("asked_at", DateTime(timezone=True), nullable=False),
    Column("rows_written", BigInteger, nullable=False),
    Column("rows_total", BigInteger),
    Column("bytes", BigInteger),
    Column("location", Text),
    Column("expires_at", DateTime(timezone=True)),
    Column("failure", Text),
)
"""rows_written moves while a file is written; everything else follows from the events."""

SHOWN = 100
"""How many exports a list shows at most."""


async def apply(connection: AsyncConnection, recorded: Sequence[Recorded[Event]]) -> None:
    """Write what the events say, in the transaction that appends them."""
    for one in recorded:
        match one.event:
            case ExportRequested(export_id, owner, query, file_name, shape):
                await connection.execute(
                    insert(exports).values(
                        export_id=export_id,
                        person_id=owner.person_id,
                        role=owner.role,
                        organisation_id=owner.organisation_id,
                        query=asdict(query),
                        shape=asdict(shape),
                        file_name=file_name,
                        state=Stage.WAITING,
                        asked_at=one.happened_at,
                        rows_written=0,
                    )
                )
            case WritingStarted(export_id, total=total):
                await _set(connection, export_id, state=Stage.WRITING, rows_written=0, rows_total=total)
            case ExportWritten() as written:
                await _set(
                    connection,
                    written.export_id,
                    state=Stage.READY,
                    rows_written=written.rows,
                    bytes=written.bytes,
                    location=written.location,
                    expires_at=written.expires_at,
                )
            case ExportFailed(export_id, reason=reason):
                await _set(connection, export_id, state=Stage.FAILED, failure=reason)
            case ExportExpired(export_id):
                await _set(connection, export_id, state=Stage.EXPIRED, location=None)
            case ExportCancelled(export_id):
                await _set(connection, export_id, state=Stage.CANCELLED)
            case Downloaded():
                pass


async def _set(connection: AsyncConnection, export_id: ExportId, **values: object) -> None:
    await connection.execute(exports.update().where(exports.c.export_id == export_id).values(**values))


async def note_progress(connection: AsyncConnection, export_id: ExportId, rows_written: int) -> None:
    """Not an event: it is out of date as soon as it is written, and nobody asks for it later.

    Raises AlreadyOver when the export is written no more: cancelled, or ended by another worker.
    """
    noted = await connection.execute(
        exports.update()
        .where(exports.c.export_id == export_id, exports.c.state == Stage.WRITING)
        .values(rows_written=rows_written)
    )
    if noted.rowcount == 0:
        raise AlreadyOver


async def one_ask_at_a_time(connection: AsyncConnection, person_id: PersonId) -> None:
    """Let a person's asks pass one by one until the transaction ends, so that they can be counted."""
    await connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(str(person_id), 0))))


async def count_unfinished(connection: AsyncConnection, person_id: PersonId) -> int:
    query = select(func.count()).where(exports.c.person_id == person_id, exports.c.state.in_(UNFINISHED))
    return await connection.scalar(query) or 0


async def list_exports(connection: AsyncConnection, owner: Owner) -> Sequence[Row[Any]]:
    """The owner's exports in this role and organisation, newest first, 100 at most."""
    newest_first = exports.c.asked_at.desc(), exports.c.export_id
    query = select(exports).where(*_of(owner)).order_by(*newest_first).limit(SHOWN)
    return (await connection.execute(query)).all()


async def find_export(connection: AsyncConnection, owner: Owner, export_id: ExportId) -> Row[Any] | None:
    """None when there is none, or it is somebody else's, or of another role or organisation."""
    query = select(exports).where(exports.c.export_id == export_id, *_of(owner))
    return (await connection.execute(query)).one_or_none()


def _of(owner: Owner) -> tuple[Any, ...]:
    return (
        exports.c.person_id == owner.person_id,
        exports.c.role == owner.role,
        exports.c.organisation_id == owner.organisation_id,
    )


async def exports_to_expire(connection: AsyncConnection, now: datetime) -> list[tuple[ExportId, str]]:
    """Exports whose time is over, with the location of the file, the longest over first."""
    query = (
        select(exports.c.export_id, exports.c.location)
        .where(exports.c.state == Stage.READY, exports.c.expires_at <= now)
        .order_by(exports.c.expires_at)
    )
    return [(ExportId(row.export_id), row.location) for row in await connection.execute(query)]


async def locations_in_use(connection: AsyncConnection, locations: Collection[str]) -> set[str]:
    """Those of the locations whose file is offered to somebody."""
    query = select(exports.c.location).where(
        exports.c.state == Stage.READY, exports.c.location.in_(list(locations))
    )
    return set(await connection.scalars(query))

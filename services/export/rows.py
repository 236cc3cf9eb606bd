"""Own events → the table `exports`, and what is asked of it."""

from collections.abc import Collection, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, Column, DateTime, MetaData, Row, Table, Text, Uuid, cast, func, select
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
    ListQuery,
    Owner,
    WritingStarted,
)
from services.export.domain.export_job import UNFINISHED, AlreadyOver, Asked, Stage
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
    Column("started_at", DateTime(timezone=True)),
    Column("downloaded_at", DateTime(timezone=True)),
)
"""rows_written moves while a file is written; everything else follows from the events."""

OF_A_KIND = ("q", "role", "academic_year", "status")
FORGOTTEN = "forgotten"
"""In the query of an export whose search words were forgotten."""
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
                await _set(
                    connection,
                    export_id,
                    state=Stage.WRITING,
                    rows_written=0,
                    rows_total=total,
                    started_at=one.happened_at,
                )
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
            case Downloaded(export_id):
                await _set(connection, export_id, downloaded_at=one.happened_at)


async def note_words(connection: AsyncConnection, export_id: ExportId, words: str) -> None:
    """What is searched for, which is in no event: the log cannot forget, and it may name people."""
    await connection.execute(
        exports.update()
        .where(exports.c.export_id == export_id)
        .values(query=exports.c.query.concat(cast({"q": words}, JSONB)))
    )


async def words_of(connection: AsyncConnection, export_id: ExportId) -> str:
    query = select(exports.c.query["q"].astext).where(exports.c.export_id == export_id)
    return await connection.scalar(query) or ""


async def forget_words(connection: AsyncConnection, asked_before: datetime) -> int:
    """Of exports that are over: nobody writes them any more. Returns of how many.

    They are no kind any more of which there could be a last file (`last_taken`).
    """
    done = await connection.execute(
        exports.update()
        .where(
            exports.c.asked_at < asked_before,
            exports.c.state.not_in((*UNFINISHED, Stage.READY)),
            exports.c.query["q"].astext != "",
        )
        .values(query=exports.c.query.concat(cast({"q": "", FORGOTTEN: True}, JSONB)))
    )
    return done.rowcount


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


async def one_ask_at_a_time(connection: AsyncConnection, owner: Owner) -> None:
    """Let the asks of a person, and of an organisation, pass one by one until the transaction ends.

    So they can be counted. The person's lock first, everywhere: so nobody waits in a circle.
    """
    for whose in (owner.person_id, owner.organisation_id):
        await connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(str(whose), 0))))


async def count_asked(connection: AsyncConnection, owner: Owner, now: datetime) -> Asked:
    """What counts against the limits of who asks: in all roles and organisations of the person together."""
    unfinished = exports.c.state.in_(UNFINISHED)
    person, organisation = exports.c.person_id == owner.person_id, exports.c.organisation_id
    query = select(
        select(func.count()).where(person, unfinished).scalar_subquery().label("person"),
        select(func.count())
        .where(organisation == owner.organisation_id, unfinished)
        .scalar_subquery()
        .label("organisation"),
        select(func.count())
        .where(person, exports.c.asked_at > now - timedelta(hours=1))
        .scalar_subquery()
        .label("person_in_an_hour"),
    )
    row = (await connection.execute(query)).one()
    return Asked(row.person, row.organisation, row.person_in_an_hour)


async def last_taken(connection: AsyncConnection, owner: Owner, query: ListQuery) -> datetime | None:
    """When the last file of this kind that its owner downloaded was asked for: before its rows were read.

    Of a kind are files of the same search and filters, whatever changes and order they were asked for in.
    """
    kind = asdict(query)
    rows = select(exports.c.asked_at, exports.c.query).where(
        *_of(owner), exports.c.downloaded_at.is_not(None)
    )
    newest_first = rows.order_by(exports.c.asked_at.desc())
    asked_at: datetime
    for asked_at, other in (await connection.execute(newest_first)).all():
        if FORGOTTEN not in other and all(
            list(other.get(name) or ()) == list(kind[name] or ()) for name in OF_A_KIND
        ):
            return asked_at
    return None


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

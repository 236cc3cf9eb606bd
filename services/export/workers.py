"""Writes the files: rows from participants → CSV, a workbook or Parquet → object store."""

import asyncio
import errno
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from datetime import timedelta
from typing import Protocol
from uuid import UUID

import httpx
import structlog
from prometheus_client import Counter
from sqlalchemy.ext.asyncio import AsyncEngine
from xlsxwriter.exceptions import FileCreateError

from services.export.domain.csv_records import BYTE_ORDER_MARK, header
from services.export.domain.events import ExportId, FileShape, Format
from services.export.domain.export_job import UNFINISHED, AlreadyOver, ExportJob, TooManyRows, WrittenFile
from services.export.handlers import Exports
from services.export.object_store import ObjectFiles, StoreAway, WritingFile
from services.export.parquet import NotMade, parquet
from services.export.participant_rows import (
    AccessEnded,
    ParticipantsService,
    QueryNotUnderstood,
    RowsIncomplete,
    RowStream,
)
from services.export.rows import note_progress
from services.export.turns import Turns
from services.export.workbook import CellTooLong, workbook
from shared.clock import Clock
from shared.contracts.participants import EXPORT_COLUMNS
from shared.database.errors import is_passing
from shared.work_queue import GiveUp, Job

log = structlog.get_logger(__name__)

ROWS = Counter("checkdata_export_rows_total", "Rows written into files")
TRIES = 10
"""About ten minutes: a person waits for the file, so this ends long before the queue itself would give up."""
PROGRESS_SECONDS = 0.3
INSIST_SECONDS = 1.0

ACCESS_ENDED = (
    "You no longer have access to the participants of this organisation, so the file was not made. "
    "If you think that this is wrong, ask the person who leads your organisation’s access."
)
NOT_UNDERSTOOD = (
    "The search or a filter was not understood, so the file was not made. "
    "Go back to the list of participants, choose the filters again and ask for a new file."
)
TOO_LONG = (
    "The list has more than {limit:,} people, and one file may have no more, so the file was not made. "
    "Go back to the list of participants, and choose filters so that there are fewer."
)
CELL_TOO_LONG = (
    "A text in the list is longer than a cell of an Excel workbook may be, so the file was not made. "
    "Ask for the file as CSV."
)
ROWS_AWAY = (
    "The list of participants could not be read, so the file was not made. "
    "Ask for a new file later. If it goes on, tell support."
)
STORE_AWAY = (
    "The file could not be saved, because the place for files could not be reached or is full. "
    "Ask for a new file later. If it goes on, tell support."
)
OUR_FAULT = (
    "The file could not be made because of a problem with this service. "
    "Ask for a new file later. If it goes on, tell support."
)
LAST_TRY_DIED = "the last try took its process with it"


class Pages(Protocol):
    async def write(self, data: bytes) -> None: ...


class MadeOnDisk(Pages, Protocol):
    def finished(self) -> AsyncIterator[bytes]: ...


MADE_ON_DISK: Mapping[Format, Callable[[Sequence[str]], AbstractAsyncContextManager[MadeOnDisk]]] = {
    Format.XLSX: workbook,
    Format.PARQUET: parquet,
}


class ExportWriter:
    """lifetime: how long a file is offered once written. tries: after so many, the export has failed."""

    def __init__(
        self,
        exports: Exports,
        participants: ParticipantsService,
        files: ObjectFiles,
        engine: AsyncEngine,
        clock: Clock,
        lifetime: timedelta,
        turns: Turns,
        tries: int = TRIES,
    ) -> None:
        self._exports = exports
        self._participants = participants
        self._files = files
        self._engine = engine
        self._clock = clock
        self._lifetime = lifetime
        self._turns = turns
        self._tries = tries

    async def write_export(self, work: Job) -> None:
        """Write the file and offer it, or say why there is none.

        Raises to be tried again, and GiveUp at the last try. Never leaves an export unfinished after it.
        """
        job = await self._exports.load(ExportId(UUID(work.data["export_id"])))
        if job.stage not in UNFINISHED:
            return
        if work.tries > self._tries:  # the last try took its process with it
            await self._fail(job.export_id, OUR_FAULT)
            raise GiveUp(LAST_TRY_DIED)
        try:
            async with self._turns.taking(job.owner.organisation_id):
                await self._write(job, location=f"{job.export_id}.{work.lease}.{job.shape.format}")
        except AlreadyOver:
            log.info("export_already_over", export=str(job.export_id))
        except AccessEnded:
            await self._fail(job.export_id, ACCESS_ENDED)
        except TooManyRows as error:
            await self._fail(job.export_id, TOO_LONG.format(limit=error.limit))
        except CellTooLong:
            await self._fail(job.export_id, CELL_TOO_LONG)
        except QueryNotUnderstood:
            await self._fail(job.export_id, NOT_UNDERSTOOD)
        except Exception as error:
            if work.tries >= self._tries:
                await self._fail(job.export_id, reason_of(error))
                raise GiveUp(type(error).__name__) from error
            raise

    async def _write(self, job: ExportJob, location: str) -> None:
        """location: new at each try, so that a try which is taken for dead and is not spoils nothing."""
        async with self._participants.rows(job.owner, job.query, job.shape) as rows:
            await self._exports.start_writing(job.export_id, rows.total)
            async with self._files.writing(location) as file, self._pages(job.shape, file) as pages:
                await self._copy(job.export_id, rows, pages)
        written = WrittenFile(
            rows=rows.written,
            bytes=file.bytes,
            sha256=file.sha256,
            location=location,
            expires_at=self._clock() + self._lifetime,
        )
        try:
            await self._exports.record_written(job.export_id, written)
        except AlreadyOver:
            await self._files.delete(location)
            raise
        ROWS.inc(rows.total)
        log.info("export_written", export=str(job.export_id), rows=rows.total, bytes=file.bytes)

    @asynccontextmanager
    async def _pages(self, shape: FileShape, file: WritingFile) -> AsyncIterator[Pages]:
        """What takes the records, and has written all of them into the file when the block ends."""
        if shape.format is Format.CSV:
            await file.write(beginning(shape))
            yield file
        else:
            async with MADE_ON_DISK[shape.format](columns_of(shape)) as made:
                yield made
                async for piece in made.finished():
                    await file.write(piece)

    async def _copy(self, export_id: ExportId, rows: RowStream, file: Pages) -> None:
        now = asyncio.get_running_loop().time
        told_at = now()
        async with aclosing(rows.pieces()) as pieces:
            async for piece in pieces:
                await file.write(piece)
                if now() - told_at >= PROGRESS_SECONDS:
                    async with self._engine.begin() as connection:
                        await note_progress(connection, export_id, rows.written)
                    told_at = now()

    async def _fail(self, export_id: ExportId, reason: str) -> None:
        """Insists: after the last try nobody else would say it."""
        while True:
            try:
                await self._exports.record_failure(export_id, reason)
            except AlreadyOver:
                return
            except Exception as error:
                if not is_passing(error):
                    raise
                log.warning("export_failure_not_recorded", export=str(export_id), error=type(error).__name__)
                await asyncio.sleep(INSIST_SECONDS)
            else:
                log.warning("export_failed", export=str(export_id))
                return


def beginning(shape: FileShape) -> bytes:
    """What comes before the rows: those columns that participants gives for this shape, in its order."""
    return (BYTE_ORDER_MARK if shape.byte_order_mark else b"") + header(columns_of(shape))


def columns_of(shape: FileShape) -> tuple[str, ...]:
    return tuple(column for column in EXPORT_COLUMNS if column in shape.columns) or EXPORT_COLUMNS


def reason_of(error: Exception) -> str:
    """What the person is told when trying again did not help."""
    match error:
        case StoreAway() | FileCreateError() | NotMade(full=True) | OSError(errno=errno.ENOSPC):
            return STORE_AWAY
        case httpx.HTTPError() | RowsIncomplete():
            return ROWS_AWAY
        case _:
            return OUR_FAULT

"""HTTP interface of export. Bodies: shared/contracts/export.py."""

import base64
import math
import re
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import structlog
from fastapi import APIRouter, Depends, FastAPI, Header, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse
from sqlalchemy import Row

from services.export.byte_range import ByteRange, NotSatisfiable, byte_range
from services.export.domain import export_job as refusals
from services.export.domain.events import (
    ExportId,
    FileShape,
    Format,
    ListQuery,
    OrganisationId,
    Owner,
    PersonId,
)
from services.export.domain.export_job import ExportJob, Stage, WrittenFile
from services.export.handlers import Exports, Wish
from services.export.object_store import ObjectFiles, StoreAway
from services.export.rows import FORGOTTEN, count_asked, find_export, list_exports
from shared.clock import Clock
from shared.contracts import export as contract
from shared.contracts.participants import EXPORT_COLUMNS
from shared.contracts.roles import Role
from shared.web.caller import PersonCaller, person
from shared.web.problems import Problem, not_found

log = structlog.get_logger(__name__)
router = APIRouter(prefix="/exports", tags=["exports"])

XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
PARQUET_TYPE = "application/vnd.apache.parquet"
MEDIA_TYPES = {
    Format.CSV: "text/csv; charset=utf-8; header=present",
    Format.XLSX: XLSX_TYPE,
    Format.PARQUET: PARQUET_TYPE,
}
FILE_TYPES = ("text/csv", XLSX_TYPE, PARQUET_TYPE)
SLUG = re.compile(r"^[a-z][a-z_]{0,63}$")
SINCE = re.compile(r"\A([0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9:.+Z]{5,20})?)?\Z", re.ASCII)
SORT = re.compile(r"\A(-?[a-z]{1,19})?\Z", re.ASCII)
YEARS = range(2000, 2100)


async def owner(
    caller: Annotated[PersonCaller, Depends(person(Role.DELIVERY_PARTNER, Role.APPROPRIATE_BODY))],
) -> Owner:
    """Whose exports this call is about."""
    if caller.organisation_id is None:
        raise Problem(403, "no-organisation", "Choose the organisation that you want to act for.")
    return Owner(PersonId(caller.person_id), caller.role.value, OrganisationId(caller.organisation_id))


Asker = Annotated[Owner, Depends(owner)]


@router.post("", status_code=201)
async def ask(request: Request, asker: Asker, body: contract.AskForExport) -> contract.Export:
    """Ask for a file of the list as it stands; it is written in the background."""
    exports: Exports = request.app.state.exports
    wish = Wish(understood(body.query), shape(body), body.since_last_download, body.email_when_ready)
    export_id = await exports.ask(asker, wish, body.idempotency_key)
    return await _shown(request, asker, export_id)


@router.get("")
async def exports(request: Request, asker: Asker) -> list[contract.Export]:
    """The caller's exports in this role and organisation, newest first."""
    now = _clock(request)()
    async with request.app.state.backbone.engine.connect() as connection:
        return [_export(row, now) for row in await list_exports(connection, asker)]


@router.get("/limits")
async def limits(request: Request, asker: Asker) -> contract.ExportLimits:
    """What may be asked for, so that it can be told beforehand."""
    exports: Exports = request.app.state.exports
    most = exports.limits
    async with request.app.state.backbone.engine.connect() as connection:
        used = await count_asked(connection, asker, _clock(request)())
    return contract.ExportLimits(
        person=most.person,
        person_used=used.person,
        organisation=most.organisation,
        organisation_used=used.organisation,
        person_in_an_hour=most.person_in_an_hour,
        person_in_an_hour_used=used.person_in_an_hour,
        rows=most.rows,
    )


@router.get("/{export_id}")
async def export(request: Request, asker: Asker, export_id: UUID) -> contract.Export:
    return await _shown(request, asker, ExportId(export_id))


@router.post("/{export_id}/cancel")
async def cancel(request: Request, asker: Asker, export_id: UUID) -> contract.Export:
    """Let the file not be made. Again: the same answer."""
    exports: Exports = request.app.state.exports
    await exports.cancel(ExportId(export_id), asker)
    return await _shown(request, asker, ExportId(export_id))


@router.get(
    "/{export_id}/file",
    response_class=Response,
    responses={status: {"content": {kind: {} for kind in FILE_TYPES}} for status in (200, 206)},
)
async def file(
    request: Request,
    asker: Asker,
    export_id: UUID,
    range_: Annotated[str | None, Header(alias="Range")] = None,
    if_range: Annotated[str | None, Header()] = None,
) -> Response:
    """The file, or the one part of it that `Range` asks for. Recorded before the first byte is given."""
    exports: Exports = request.app.state.exports
    files: ObjectFiles = request.app.state.files
    job = await exports.load(ExportId(export_id))
    written = job.file_for(asker, _clock(request)())
    etag = f'"{written.sha256}"'
    try:
        part = byte_range(range_, if_range, etag, written.bytes)
    except NotSatisfiable:
        nothing_there = {"content-range": f"bytes */{written.bytes}"}
        detail = "The file has no such part. Download it from the beginning."
        raise Problem(416, "no-such-part", detail, headers=nothing_there) from None
    whole = ByteRange(0, written.bytes)
    stream = await files.read(written.location, (part or whole).start, (part or whole).end)
    await exports.record_download(job.export_id, asker)
    return _answer(stream, written, part, job, etag)


def _answer(
    stream: AsyncIterator[bytes], written: WrittenFile, part: ByteRange | None, job: ExportJob, etag: str
) -> Response:
    digest = base64.b64encode(bytes.fromhex(written.sha256)).decode()
    headers = {
        "content-length": str(part.end - part.start if part else written.bytes),
        "content-disposition": f'attachment; filename="{job.file_name}"',
        "accept-ranges": "bytes",
        "etag": etag,
        "repr-digest": f"sha-256=:{digest}:",
        "cache-control": "no-store",
    }
    if part:
        headers["content-range"] = part.content_range(written.bytes)
    return StreamingResponse(stream, 206 if part else 200, headers, media_type=MEDIA_TYPES[job.shape.format])


def understood(query: contract.ListQuery) -> ListQuery:
    """The query, with nothing in its filters but what can be a filter: they are published, the search is not.

    Raises Problem 422 `query-not-understood`. Whether such a role or status exists, participants knows.
    """
    errors = [
        {"field": name, "message": "Use what the list of participants offers."}
        for name, good in (
            ("role", all(SLUG.match(role) for role in query.role)),
            ("academic_year", all(year in YEARS for year in query.academic_year)),
            ("status", all(SLUG.match(status) for status in query.status)),
            ("changed_since", SINCE.match(query.changed_since)),
            ("sort", SORT.match(query.sort)),
            ("q", "\x00" not in query.q),
        )
        if not good
    ]
    if errors:
        detail = "A filter is not understood. Go back to the list and choose the filters again."
        raise Problem(422, "query-not-understood", detail, errors)
    return ListQuery(
        query.q,
        tuple(query.role),
        tuple(query.academic_year),
        tuple(query.status),
        query.changed_since,
        query.sort,
    )


def shape(body: contract.AskForExport) -> FileShape:
    """Raises Problem 422 `query-not-understood` for a column that no file has."""
    if unknown := [name for name in body.columns if name not in EXPORT_COLUMNS]:
        errors = [{"field": "columns", "message": f"Use {', '.join(EXPORT_COLUMNS)}."} for _ in unknown[:1]]
        detail = "A column is not understood. Go back to the list and choose the columns again."
        raise Problem(422, "query-not-understood", detail, errors)
    chosen = tuple(name for name in EXPORT_COLUMNS if name in body.columns)
    return FileShape(
        () if chosen == EXPORT_COLUMNS else chosen,
        body.byte_order_mark and body.format is contract.ExportFormat.CSV,
        Format(body.format),
    )


async def _shown(request: Request, asker: Owner, export_id: ExportId) -> contract.Export:
    async with request.app.state.backbone.engine.connect() as connection:
        row = await find_export(connection, asker, export_id)
    if row is None:
        raise not_found()
    return _export(row, _clock(request)())


def _export(row: Row[Any], now: datetime) -> contract.Export:
    over = row.state == Stage.READY and now >= row.expires_at
    return contract.Export(
        export_id=row.export_id,
        query=contract.ListQuery(**{name: told for name, told in row.query.items() if name != FORGOTTEN}),
        columns=row.shape.get("columns", []),
        byte_order_mark=row.shape.get("byte_order_mark", False),
        format=row.shape.get("format", Format.CSV),
        state=contract.ExportState.EXPIRED if over else contract.ExportState(row.state),
        asked_at=row.asked_at,
        rows_written=row.rows_written,
        rows_total=row.rows_total,
        seconds_left=_seconds_left(row, now),
        bytes=row.bytes,
        expires_at=row.expires_at,
        failure=row.failure,
        file_name=row.file_name,
    )


def _seconds_left(row: Row[Any], now: datetime) -> int | None:
    if row.state != Stage.WRITING or not row.rows_written or row.started_at is None:
        return None
    each: float = max(0.0, (now - row.started_at).total_seconds()) / row.rows_written
    left: int = max(0, row.rows_total - row.rows_written)
    return math.ceil(each * left)


def _clock(request: Request) -> Clock:
    clock: Clock = request.app.state.backbone.clock
    return clock


def answer_refusals(app: FastAPI) -> None:
    """Every refusal of the rules leaves as a problem document made here."""

    @app.exception_handler(refusals.Refused)
    async def _refused(_request: Request, refused: refusals.Refused) -> JSONResponse:
        return problem_of(refused).response()

    @app.exception_handler(StoreAway)
    async def _store_away(_request: Request, error: StoreAway) -> JSONResponse:
        log.error("store_away", error=str(error))
        detail = "The file cannot be fetched now. Try again later. If it goes on, tell support."
        return Problem(503, "store-away", detail).response()


def problem_of(refused: refusals.Refused) -> Problem:
    match refused:
        case refusals.NoSuchExport():
            return not_found()
        case refusals.TooManyOfTheOrganisation(limit=limit):
            detail = (
                f"People of your organisation have {limit} files that are still being made. "
                "Wait until one is ready, then ask again."
            )
            return Problem(409, "too-many-exports", detail)
        case refusals.TooManyInAnHour(limit=limit):
            detail = f"You asked for {limit} files in the last hour. Wait a little, then ask again."
            return Problem(409, "too-many-exports", detail)
        case refusals.TooManyExports(limit=limit):
            detail = (
                f"You have {limit} files that are still being made. Wait until one is ready, then ask again."
            )
            return Problem(409, "too-many-exports", detail)
        case refusals.NotReady():
            return Problem(409, "export-not-ready", "The file is still being made. Try again in a moment.")
        case refusals.WritingFailed(reason=reason):
            return Problem(409, "export-not-ready", reason)
        case refusals.NoLongerThere():
            detail = "The file was deleted because its time is over. Go to the list and ask for a new one."
            return Problem(410, "export-expired", detail)
        case refusals.WasCancelled():
            detail = "You cancelled this file. Go to the list to ask for a new one."
            return Problem(410, "export-cancelled", detail)
        case refusals.AlreadyOver():
            detail = "The file is not being made any more, so it cannot be cancelled."
            return Problem(409, "export-over", detail)
        case _:
            raise refused

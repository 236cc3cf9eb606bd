"""Downloads: asked for on the list, made in the background, fetched here."""

from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import ValidationError

from services.gateway import content, dates
from services.gateway.backend import Refusal
from services.gateway.head import only_head
from services.gateway.language import gettext, ngettext
from services.gateway.list_view import OF_A_FILE, ListView
from services.gateway.pages.errors import cannot_be_done
from services.gateway.rendering import page, see_other
from services.gateway.visitor import Visitor, visiting
from shared.contracts.export import AskForExport, Export, ExportFormat, ExportLimits, ExportState, ListQuery

router = APIRouter()

User = Annotated[Visitor, Depends(visiting(*content.USERS, calls="export"))]

PATH: Final = "/exports"
REFRESH_SECONDS: Final = 3
PASSED_ON: Final = ("range", "if-range")


@router.get(PATH)
async def exports(request: Request, user: User) -> Response:
    found = await user.exports.all()
    limits = await _limits(user)
    return page(
        request, "exports/list.html", exports=[(each, described(each)) for each in found], limits=limits
    )


@router.post(PATH)
async def ask(request: Request, user: User) -> Response:
    sent = (await request.form()).multi_items()
    pairs = [(name, value) for name, value in sent if isinstance(value, str)]
    view = ListView.of(pair for pair in pairs if pair[0] in OF_A_FILE)
    try:
        wish = AskForExport(
            query=view.as_list_query(),
            idempotency_key=UUID(next((value for name, value in pairs if name == "idempotency_key"), "")),
            columns=[value for name, value in pairs if name == "column"],
            byte_order_mark=("byte_order_mark", "yes") in pairs,
            format=ExportFormat(next((value for name, value in pairs if name == "format"), "csv")),
            since_last_download=("since_last_download", "yes") in pairs,
            email_when_ready=("email_when_ready", "yes") in pairs,
        )
    except (ValueError, ValidationError):
        return see_other(view.url)  # the list says what is wrong with it
    try:
        export = await user.exports.ask(wish)
    except Refusal as refusal:
        if refusal.status == 422:
            return see_other(view.url)
        if refusal.status == 409:
            return cannot_be_done(request, 409, refusal.detail)
        raise
    return see_other(f"{PATH}/{export.export_id}")


@router.get(PATH + "/{export_id}")
async def export(request: Request, user: User, export_id: UUID) -> Response:
    found = await user.exports.one(export_id)
    going_on = found.state in (ExportState.WAITING, ExportState.WRITING)
    return page(
        request,
        "exports/one.html",
        export=found,
        described=described(found),
        list_url=ListView.of_list_query(found.query).url,
        size=_size(found),
        time_left=_time_left(found),
        refresh=REFRESH_SECONDS if going_on else None,
    )


@router.post(PATH + "/{export_id}/cancel")
async def cancel(user: User, export_id: UUID) -> Response:
    try:
        await user.exports.cancel(export_id)
    except Refusal as refusal:
        if refusal.status != 409:
            raise  # else it came too late: the page says what became of the file
    return see_other(f"{PATH}/{export_id}")


@router.get(PATH + "/{export_id}/download")
async def download(request: Request, user: User, export_id: UUID) -> Response:
    """The file, passed through piece by piece."""
    if only_head(request):  # nothing is taken, so nothing is asked for: asking is on record
        found = await user.exports.one(export_id)
        return Response(media_type=content.EXPORT_FORMATS[found.format].media_type)
    asked = {name: request.headers[name] for name in PASSED_ON if name in request.headers}
    try:
        file = await user.exports.file(export_id, asked)
    except Refusal as refusal:
        if refusal.status in (409, 410):
            return see_other(f"{PATH}/{export_id}")  # that page says what became of it
        raise
    return StreamingResponse(file.chunks, file.status, headers=file.headers)


async def _limits(user: Visitor) -> ExportLimits | None:
    """None when an export of the release before, which knows none, answers beside a new one."""
    try:
        return await user.exports.limits()
    except Refusal:
        return None


def described(export: Export) -> list[str]:
    """Search, filters and the shape of the file in words, a line each."""
    lines = in_words(export.query)
    if export.columns:
        names = content.EXPORT_COLUMNS
        lines.append(
            gettext("Columns: %(columns)s", columns=", ".join(names.get(c, c) for c in export.columns))
        )
    if export.format is not ExportFormat.CSV:
        lines.append(content.EXPORT_FORMATS[export.format].text)
    if export.byte_order_mark:
        lines.append(gettext("For Excel"))
    return lines


def in_words(query: ListQuery) -> list[str]:
    """Search, filters, and the order when it is not by name."""
    roles = content.PARTICIPANT_ROLES
    statuses = content.STATUSES
    lines = [gettext("Search: %(search)s", search=query.q)] if query.q else []
    if query.role:
        lines.append(
            gettext("Role: %(roles)s", roles=", ".join(roles.get(role, role) for role in query.role))
        )
    if query.academic_year:
        lines.append(
            gettext(
                "Academic year: %(years)s", years=", ".join(map(dates.academic_year, query.academic_year))
            )
        )
    if query.status:
        chosen = ", ".join(statuses[s].text if s in statuses else s for s in query.status)
        lines.append(gettext("Status: %(statuses)s", statuses=chosen))
    if query.changed_since:
        lines.append(gettext("Status changed: %(since)s", since=dates.since(query.changed_since)))
    lines = lines or [gettext("All participants")]
    if query.sort in content.ORDERS and query.sort != "name":
        lines.append(gettext("Sorted by %(order)s", order=content.ORDERS[query.sort]))
    return lines


def _time_left(export: Export) -> str | None:
    """In words, and no more exact than it is known."""
    if export.state is not ExportState.WRITING or export.seconds_left is None:
        return None
    if export.seconds_left < 60:
        return gettext("Less than a minute left")
    minutes = round(export.seconds_left / 60)
    return ngettext("About %(num)s minute left", "About %(num)s minutes left", minutes)


def _size(export: Export) -> str | None:
    if export.bytes is None:
        return None
    kilobytes = max(1, round(export.bytes / 1000))
    if kilobytes < 1000:
        return gettext("%(size)s KB", size=dates.number(kilobytes))
    return gettext("%(size)s MB", size=dates.number(round(export.bytes / 1_000_000, 1)))

"""What export publishes (who took what away), and the bodies of its HTTP interface."""

from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from pydantic import Field

from shared.contracts.body import Body
from shared.contracts.envelope import Catalogue, PersonalText, PublishedEvent
from shared.contracts.roles import Role

# --- events ---------------------------------------------------------------------------------------


class ExportEvent(PublishedEvent):
    subject_field: ClassVar[str] = "export_id"
    export_id: UUID
    person_id: UUID
    role: Role
    organisation_id: UUID


class ExportRequested(ExportEvent):
    type: ClassVar[str] = "export.requested.v1"
    searched: bool
    filters: dict[str, list[str]]


class ExportWritten(ExportEvent):
    type: ClassVar[str] = "export.written.v1"
    rows: int
    bytes: int
    sha256: str


class ExportFailed(ExportEvent):
    type: ClassVar[str] = "export.failed.v1"
    reason: str


class ExportDownloaded(ExportEvent):
    type: ClassVar[str] = "export.downloaded.v1"
    rows: int


class ExportExpired(ExportEvent):
    type: ClassVar[str] = "export.expired.v1"


class ExportCancelled(ExportEvent):
    type: ClassVar[str] = "export.cancelled.v1"


CATALOGUE = Catalogue(
    ExportRequested, ExportWritten, ExportFailed, ExportDownloaded, ExportExpired, ExportCancelled
)

# --- HTTP -----------------------------------------------------------------------------------------


class ExportState(StrEnum):
    WAITING = "waiting"
    WRITING = "writing"
    READY = "ready"
    FAILED = "failed"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


class ListQuery(Body):
    """Search, filters and order as they stood on the list page."""

    q: PersonalText = Field(default="", max_length=500)
    role: list[str] = Field(default_factory=list, max_length=10)
    academic_year: list[int] = Field(default_factory=list, max_length=20)
    status: list[str] = Field(default_factory=list, max_length=10)
    changed_since: str = Field(default="", max_length=40)
    """A day or a moment, as participants takes it; empty: no such filter."""
    sort: str = Field(default="", max_length=20)
    """As participants takes it; empty: by name."""


class AskForExport(Body):
    """POST /exports → 201 Export. The same `idempotency_key` of the same person gives the same export."""

    query: ListQuery
    idempotency_key: UUID
    columns: list[str] = Field(default_factory=list, max_length=20)
    """Of participants' EXPORT_COLUMNS, whose order they are given in; none: all of them."""
    byte_order_mark: bool = False
    """At the beginning, for Excel, which else takes UTF-8 for something older."""


class Export(Body):
    """GET /exports → list[Export], newest first; GET /exports/{id} → Export (own ones of this role only).

    GET /exports/{id}/file → the CSV, 409 `export-not-ready`, 410 `export-expired` or
    `export-cancelled`. POST /exports/{id}/cancel → Export, 409 `export-over`.
    """

    export_id: UUID
    query: ListQuery
    columns: list[str]
    """None: all of them."""
    byte_order_mark: bool
    state: ExportState
    asked_at: datetime
    rows_written: int
    rows_total: int | None
    bytes: int | None
    expires_at: datetime | None
    failure: str | None
    file_name: str

"""What export publishes (who took what away), and the bodies of its HTTP interface."""

from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from pydantic import Field

from shared.contracts.body import Body
from shared.contracts.envelope import Catalogue, PersonalText, PublishedEvent
from shared.contracts.roles import Role


class ExportFormat(StrEnum):
    CSV = "csv"
    XLSX = "xlsx"
    PARQUET = "parquet"


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
    email_wished: bool = False
    """Whether the person asked to be told. Files written before there was this choice: no."""


class ExportFailed(ExportEvent):
    type: ClassVar[str] = "export.failed.v1"
    reason: str


class ExportDownloaded(ExportEvent):
    type: ClassVar[str] = "export.downloaded.v1"
    rows: int
    searched: bool = False
    filters: dict[str, list[str]] = Field(default_factory=dict)
    format: ExportFormat = ExportFormat.CSV
    """Downloads of before these were told: none of them."""


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
    """At the beginning of a CSV, for Excel, which else takes UTF-8 for something older."""
    format: ExportFormat = ExportFormat.CSV
    since_last_download: bool = False
    """Only who changed since the last file with this search and these filters that the person downloaded in
    this role; everybody when there was none. In place of the query's `changed_since`."""
    email_when_ready: bool = False


class ExportLimits(Body):
    """GET /exports/limits → what may be asked for, and how much of it is used."""

    person: int
    """Files of one person that are not finished yet, at most; in all roles together."""
    person_used: int
    organisation: int
    """Files of the people of one organisation that are not finished yet, at most."""
    organisation_used: int
    person_in_an_hour: int
    """Files that one person may ask for in an hour."""
    person_in_an_hour_used: int
    rows: int
    """Of one file."""


class Export(Body):
    """GET /exports → list[Export], newest first; GET /exports/{id} → Export (own ones of this role only).

    GET /exports/{id}/file → the file, 409 `export-not-ready`, 410 `export-expired` or
    `export-cancelled`. POST /exports/{id}/cancel → Export, 409 `export-over`.
    """

    export_id: UUID
    query: ListQuery
    columns: list[str]
    """None: all of them."""
    byte_order_mark: bool
    format: ExportFormat = ExportFormat.CSV
    state: ExportState
    asked_at: datetime
    rows_written: int
    rows_total: int | None
    seconds_left: int | None = None
    """While it is written: at the pace so far."""
    bytes: int | None
    expires_at: datetime | None
    failure: str | None
    file_name: str

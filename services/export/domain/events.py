"""What happens to an export. What was searched for may name people: it is in a row, to be forgotten."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NewType
from uuid import UUID

ExportId = NewType("ExportId", UUID)
PersonId = NewType("PersonId", UUID)
OrganisationId = NewType("OrganisationId", UUID)
Filters = dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class Owner:
    """Who asked, in which role and for which organisation: nobody else ever sees the export."""

    person_id: PersonId
    role: str
    organisation_id: OrganisationId


@dataclass(frozen=True, slots=True)
class ListQuery:
    """Search, filters and order as they stood on the list page. Empty: none, none, by name."""

    q: str
    role: tuple[str, ...]
    academic_year: tuple[int, ...]
    status: tuple[str, ...]
    changed_since: str = ""
    sort: str = ""

    @property
    def searched(self) -> bool:
        return bool(self.q.strip())

    @property
    def filters(self) -> Filters:
        """Those that are set, by the names of the list page. They name nobody, as the search may."""
        chosen = {
            "role": list(self.role),
            "academic_year": [str(year) for year in self.academic_year],
            "status": list(self.status),
            "changed_since": [self.changed_since] if self.changed_since else [],
        }
        return {name: values for name, values in chosen.items() if values}


class Format(StrEnum):
    CSV = "csv"
    XLSX = "xlsx"
    PARQUET = "parquet"


@dataclass(frozen=True, slots=True)
class FileShape:
    """columns: those chosen, none for all of them.

    byte_order_mark: of a CSV, which Excel takes amiss without it.
    """

    columns: tuple[str, ...] = ()
    byte_order_mark: bool = False
    format: Format = Format.CSV


@dataclass(frozen=True, slots=True)
class ExportRequested:
    export_id: ExportId
    owner: Owner
    query: ListQuery
    file_name: str
    """As the person's browser will call it."""
    shape: FileShape = FileShape()
    """Files that were asked for before there was a choice have all columns."""
    email_wished: bool = False
    """Whether the owner wants to be told when the file is ready."""
    searched: bool = False
    """Whether there were words to search for. The query is without them, save in events of before."""


@dataclass(frozen=True, slots=True)
class WritingStarted:
    """Again at each try: every try reads a snapshot of its own."""

    export_id: ExportId
    owner: Owner
    total: int


@dataclass(frozen=True, slots=True)
class ExportWritten:
    export_id: ExportId
    owner: Owner
    rows: int
    bytes: int
    sha256: str
    """Hexadecimal, of the whole file."""
    location: str
    """In the object store."""
    expires_at: datetime
    email_wished: bool = False


@dataclass(frozen=True, slots=True)
class ExportFailed:
    export_id: ExportId
    owner: Owner
    reason: str
    """A sentence for the person who asked."""


@dataclass(frozen=True, slots=True)
class Downloaded:
    """The owner was about to be given the file, or a part of it.

    Downloads of before these were kept have no filters.
    """

    export_id: ExportId
    owner: Owner
    rows: int
    searched: bool = False
    filters: Filters = field(default_factory=dict)
    format: Format = Format.CSV


@dataclass(frozen=True, slots=True)
class ExportExpired:
    """The file is deleted."""

    export_id: ExportId
    owner: Owner


@dataclass(frozen=True, slots=True)
class ExportCancelled:
    """The owner wants no file any more."""

    export_id: ExportId
    owner: Owner


Event = (
    ExportRequested
    | WritingStarted
    | ExportWritten
    | ExportFailed
    | Downloaded
    | ExportExpired
    | ExportCancelled
)
EVENTS = (
    ExportRequested,
    WritingStarted,
    ExportWritten,
    ExportFailed,
    Downloaded,
    ExportExpired,
    ExportCancelled,
)

"""What participants publishes (who looked at whom), and the bodies of its HTTP interface."""

from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from shared.contracts.body import Body
from shared.contracts.envelope import Catalogue, PersonalText, PublishedEvent
from shared.contracts.roles import Role

# --- events ---------------------------------------------------------------------------------------


class ListViewed(PublishedEvent):
    """A person saw one page of a list. Search words may name people: told is only whether there were some."""

    type: ClassVar[str] = "participants.list-viewed.v1"
    subject_field: ClassVar[str] = "person_id"
    person_id: UUID
    role: Role
    organisation_id: UUID
    searched: bool
    filters: dict[str, list[str]]
    page: int
    total: int
    participant_ids: list[UUID]


class ParticipantViewed(PublishedEvent):
    type: ClassVar[str] = "participants.participant-viewed.v1"
    subject_field: ClassVar[str] = "person_id"
    person_id: UUID
    role: Role
    organisation_id: UUID
    participant_id: UUID


CATALOGUE = Catalogue(ListViewed, ParticipantViewed)

# --- HTTP -----------------------------------------------------------------------------------------


class ParticipantRow(Body):
    """One row of the list, ready to be shown."""

    participant_id: UUID
    full_name: PersonalText
    email: PersonalText
    trn: PersonalText | None
    role: str
    """`ect` or `mentor`."""
    lead_provider: str | None
    school: str | None
    urn: str | None
    academic_year: int
    training_status: str
    status: str
    """Slug, see docs/domain.md."""
    status_label: str
    status_explanation: str
    reason: str
    """Why this status, in one plain sentence."""
    status_since: datetime
    induction_completed_on: date | None


class ParticipantPage(Body):
    """GET /participants?q=&role=&academic_year=&status=&changed_since=&sort=&page=&size=.

    role, academic_year and status may be repeated.

    422 problem `query-not-understood` names each parameter that is not understood.
    A page past the end is 404 `page-past-the-end`, whose detail says how many there are.
    """

    rows: list[ParticipantRow]
    total: int
    page: int
    pages: int
    size: int
    by_status: dict[str, int]
    """Of what is found by search, role and year, before the status filter is applied."""
    academic_years: list[int]
    """Offered as filter choices: those that the organisation has participants of."""
    changed_since: datetime | None = None
    """The moment of the last visit, if that was asked for; none on a first visit, which leaves nobody out."""
    as_of: datetime | None = None
    """What was known by then is in it, and perhaps more; None: all that is known now."""


class StatusChange(Body):
    since: datetime
    status: str | None
    """None: not with this organisation from then on."""
    status_label: str | None
    reason: str | None
    received_at: datetime | None


class ParticipantDetail(Body):
    """GET /participants/{id}; 404 when it is not this organisation's."""

    participant: ParticipantRow
    history: list[StatusChange]
    """Oldest first."""
    as_of: datetime | None = None
    """As in ParticipantPage."""


class YearCounts(Body):
    academic_year: int
    ects: int
    mentors: int


class WeekCounts(Body):
    monday: date
    registered: int
    """Participants who came to the organisation."""
    changed: int
    """Changes of a status after that."""


class ParticipantSummary(Body):
    """GET /participants/summary: numbers only, nobody's data."""

    total: int
    by_status: dict[str, int]
    by_academic_year: list[YearCounts]
    """Oldest first; years of which there is somebody."""
    weeks: list[WeekCounts]
    """The last 12 with the present one, oldest first, by the day from which a change counts, in England."""
    as_of: datetime | None = None
    """As in ParticipantPage."""


class ReceiveAnswer(Body):
    """One answer for each event of POST /events, in the same order."""

    id: str | None
    outcome: str
    """`accepted`, `duplicate` or `parked`."""
    reason: str | None = None


class Receipts(Body):
    answers: list[ReceiveAnswer]
    accepted: int
    duplicates: int
    parked: int


EXPORT_COLUMNS = (
    "full_name",
    "email_address",
    "trn",
    "role",
    "lead_provider",
    "school",
    "school_unique_reference_number",
    "academic_year",
    "training_status",
    "status",
)
"""GET /participants/rows?column=&formulas= with the query of the list, no page → CSV (RFC 4180, without a
header, lines ended by LF) of the columns asked for, in this order; the rows in the order of the list, from
one snapshot, and as many as the header ROWS_TOTAL says."""

ROWS_TOTAL = "check-data-rows-total"


class Formulas(StrEnum):
    """What becomes of text that a spreadsheet would run as a formula."""

    HARMLESS = "harmless"
    """An apostrophe is put before it."""
    AS_THEY_ARE = "as_they_are"

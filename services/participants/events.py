"""What happened here, beside what Manage ECTs told us: who looked at whom, and which day it became.

IDs only: search words may name people, so kept is whether there were some.
"""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from shared.contracts.roles import Role


@dataclass(frozen=True, slots=True)
class ListViewed:
    """participant_ids: those on the page that was shown."""

    person_id: UUID
    role: Role
    organisation_id: UUID
    searched: bool
    filters: dict[str, list[str]]
    page: int
    total: int
    participant_ids: list[UUID]


@dataclass(frozen=True, slots=True)
class ParticipantViewed:
    person_id: UUID
    role: Role
    organisation_id: UUID
    participant_id: UUID


@dataclass(frozen=True, slots=True)
class DayBegan:
    """A day of England. Some statuses change with it; that it is an event makes a rebuild give the same."""

    day: date


Viewed = ListViewed | ParticipantViewed
Event = Viewed | DayBegan

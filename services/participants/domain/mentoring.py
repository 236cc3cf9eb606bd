"""When induction records named a mentor. It decides a mentor's status (once named ever) and its reason (now).

Nothing is learnt from the mentor's own events: the facts are in the events of the participants whom they
mentor. `namings` draws them out of one such participant's events; a mentor needs those of all of them.
Whether a mentor is mentoring *now* only changes the reason shown, never the status.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID

from services.participants.domain.evolution import evolve_participant
from services.participants.domain.facts import InductionRecord, Participant
from services.participants.domain.london import midnight
from services.participants.domain.received import Received, in_order
from shared.contracts.manage_ects import (
    InductionRecordOpened,
    InductionStatus,
    MentorAssigned,
    ParticipantEvent,
)


@dataclass(frozen=True, slots=True)
class Naming:
    """One record named one mentor; from `since` until before `until` it made them one who mentors.

    until: None is for as long as we know. It may lie in the future: the end date of a record that is
    `leaving`. It equals `since` when the record named the mentor without making them mentor (a record that
    is closed, completed …): that still counts as having been named.
    received_at: when we heard of it. ended_received_at: when we heard of its end, None when the date ends it.
    """

    mentor_participant_id: UUID
    participant_id: UUID
    induction_record_id: UUID
    since: datetime
    until: datetime | None
    received_at: datetime
    ended_received_at: datetime | None


def ever_mentored(named: Iterable[Naming], at: datetime) -> bool:
    """Whether any record had named the mentor by then. Once it has, that is so for good."""
    return any(naming.since <= at for naming in named)


def mentoring_now(named: Iterable[Naming], at: datetime) -> bool:
    """Whether a record names the mentor that is `active`, or is `leaving` with its end in the future."""
    return any(naming.since <= at and (naming.until is None or at < naming.until) for naming in named)


def namings(own: Sequence[Received[ParticipantEvent]]) -> list[Naming]:
    """Return every naming of a mentor by one participant's records, in the order in which they began.

    own: all events of that participant, in any order. A removed participant's namings end, and stay known.
    """
    if not any(_names_a_mentor(received.event) for received in own):
        return []
    ended: list[Naming] = []
    current: dict[UUID, Naming] = {}
    known: Participant | None = None
    for at, received in in_order(own):
        before = {} if known is None else known.records
        known = evolve_participant(known, received.event)
        if known.records is before:
            continue
        for record_id in {**before, **known.records}:
            record = known.records.get(record_id)
            if _terms(record) == _terms(before.get(record_id)):
                continue
            if (naming := current.pop(record_id, None)) is not None:
                ended.append(_ended(naming, at, received.received_at))
            if record is not None and record.mentor_participant_id is not None:
                current[record_id] = Naming(
                    mentor_participant_id=record.mentor_participant_id,
                    participant_id=known.participant_id,
                    induction_record_id=record_id,
                    since=at,
                    until=_until(record, at),
                    received_at=received.received_at,
                    ended_received_at=None,
                )
    return sorted([*ended, *current.values()], key=lambda naming: naming.since)


def _names_a_mentor(event: ParticipantEvent) -> bool:
    if type(event) is InductionRecordOpened or type(event) is MentorAssigned:
        return event.mentor_participant_id is not None
    return False


def _terms(record: InductionRecord | None) -> tuple[UUID, InductionStatus, date | None] | None:
    """All by which one naming differs from the next; None when there is none."""
    if record is None or record.mentor_participant_id is None:
        return None
    return record.mentor_participant_id, record.induction_status, record.end_date


def _until(record: InductionRecord, at: datetime) -> datetime | None:
    if record.induction_status is InductionStatus.ACTIVE:
        return None
    if record.induction_status is InductionStatus.LEAVING and record.end_date is not None:
        return max(at, midnight(record.end_date))
    return at


def _ended(naming: Naming, at: datetime, received_at: datetime) -> Naming:
    if naming.until is not None and naming.until <= at:
        return naming
    return replace(naming, until=at, ended_received_at=received_at)

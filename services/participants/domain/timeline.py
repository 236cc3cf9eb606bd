"""How what each organisation is shown of a participant changed: a fold over all events that bear on it.

Its own events, those of the partnerships that its records refer to, the records that named it as mentor, and
the dates that change a status without an event. The result depends on when things happened, not on when or
in which order we heard of them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple
from uuid import UUID

from services.participants.domain.evolution import evolve_participant
from services.participants.domain.facts import (
    InductionRecord,
    Participant,
    Partnership,
    evolve_partnership,
)
from services.participants.domain.london import day_after, end_of, london_day, midnight
from services.participants.domain.mentoring import Naming
from services.participants.domain.received import PartnershipEvent, Received, in_order
from services.participants.domain.standing import decide_for
from services.participants.domain.status import State, Status
from services.participants.domain.visibility import Viewer, shown_records
from shared.contracts.manage_ects import (
    InductionRecordClosed,
    InductionRecordOpened,
    InductionStartRecorded,
    InductionStatus,
    ParticipantEvent,
    ParticipantRegistered,
)

SETTLES = timedelta(minutes=1)
"""What stood for less than this was on its way to something else (a record is closed, and the next one opened
a moment later): it is no part of the history."""

OwnEvents = Sequence[Received[ParticipantEvent]]
PartnershipEvents = Mapping[UUID, Sequence[Received[PartnershipEvent]]]


@dataclass(frozen=True, slots=True)
class StatusChange:
    """From `since` (UTC) on, an organisation is shown this status for this reason.

    status, state: None when the organisation is not shown the participant from then on.
    received_at: when we heard of what changed it; None when the date alone did.
    """

    since: datetime
    status: Status | None
    state: State | None
    received_at: datetime | None


@dataclass(frozen=True, slots=True)
class Timeline:
    """What is known in the end, and for each organisation that ever saw the participant how it came about.

    participant: None when nothing is known, or all is to be forgotten.
    histories: oldest first. An entry for each change of the status or of the reason for it.
    days_ahead: after today, ascending: those on which something may change without an event.
    """

    participant: Participant | None
    partnerships: Mapping[UUID, Partnership]
    histories: Mapping[Viewer, tuple[StatusChange, ...]]
    days_ahead: tuple[date, ...]


class _Step(NamedTuple):
    """A moment at which what is shown may change: by an event, or (without one) by itself."""

    at: datetime
    sequence: int
    event_id: str
    received_at: datetime | None
    own: ParticipantEvent | None
    partnership: PartnershipEvent | None


def timeline(
    own: OwnEvents, partnerships: PartnershipEvents, named: Sequence[Naming], today: date
) -> Timeline:
    """Tell the history of one participant up to today, for every organisation at once.

    own: all events of the participant. partnerships: all events of (at least) the partnerships that its
    records refer to. named: for a mentor, all namings of it. Each in any order. today: the day in England.
    A removed participant has no history. Raises nothing.
    """
    now = end_of(today)
    days = sorted(_days_that_matter(own, named))
    watch = _Watch()
    participant: Participant | None = None
    known: dict[UUID, Partnership] = {}
    for at, steps in groupby(_steps(own, partnerships, named, days, now), key=itemgetter(0)):
        received_at: datetime | None = None
        before, partnership_changed = participant, False
        for step in steps:
            if step.received_at is not None and (received_at is None or step.received_at > received_at):
                received_at = step.received_at
            if step.own is not None:
                participant = evolve_participant(participant, step.own)
            elif step.partnership is not None:
                partnership = evolve_partnership(known.get(step.partnership.partnership_id), step.partnership)
                if partnership is not None:
                    known[partnership.partnership_id] = partnership
                    partnership_changed = True
        if participant is not None:
            if partnership_changed or _may_be_shown_otherwise(before, participant):
                watch.show(shown_records(participant, known), at, received_at)
            for record in watch.records:
                decision = decide_for(participant, record, known, named, min(at, now))
                watch.note(record, decision.state, at, received_at)
    if participant is not None and participant.removed:
        return Timeline(None, {}, {}, ())
    return Timeline(
        participant=participant,
        partnerships=known,
        histories={viewer: tuple(_settled(history)) for viewer, history in watch.histories.items()},
        days_ahead=tuple(day for day in days if day > today),
    )


def next_due(told: Timeline, record: InductionRecord, named: Sequence[Naming], today: date) -> date | None:
    """Return the first day after today on which this record's status or reason changes without an event."""
    if told.participant is None or not told.days_ahead:
        return None
    now = decide_for(told.participant, record, told.partnerships, named, end_of(today)).state
    for day in told.days_ahead:
        if decide_for(told.participant, record, told.partnerships, named, end_of(day)).state is not now:
            return day
    return None


def _steps(
    own: OwnEvents,
    partnerships: PartnershipEvents,
    named: Sequence[Naming],
    days: Sequence[date],
    now: datetime,
) -> list[_Step]:
    """Merge all that changes something up to now, in the order in which it counts."""
    steps = [_Step(at, r.sequence, r.event_id, r.received_at, r.event, None) for at, r in in_order(own)]
    for partnership_id in _partnerships_of(own):
        reports = in_order(partnerships.get(partnership_id, ()))
        steps += [_Step(at, r.sequence, r.event_id, r.received_at, None, r.event) for at, r in reports]
    alone: list[tuple[datetime, datetime | None]] = [(midnight(day), None) for day in days]
    alone += [(naming.since, naming.received_at) for naming in named]
    alone += [(naming.until, naming.ended_received_at) for naming in named if naming.until is not None]
    steps += [_Step(at, 0, "", received_at, None, None) for at, received_at in alone if at <= now]
    steps.sort(key=itemgetter(0, 1, 2))
    return steps


def _partnerships_of(own: OwnEvents) -> dict[UUID, None]:
    found: dict[UUID, None] = {}
    for received in own:
        event = received.event
        if type(event) is InductionRecordOpened and event.partnership_id is not None:
            found[event.partnership_id] = None
    return found


def _days_that_matter(own: OwnEvents, named: Sequence[Naming]) -> set[date]:
    """Every day that could change a status or a reason by itself; that it does is not promised."""
    days = {london_day(naming.since) for naming in named}
    days.update(london_day(naming.until) for naming in named if naming.until is not None)
    for received in own:
        days.update(_days_of(received.event))
    return days


def _days_of(event: ParticipantEvent) -> Iterator[date]:
    if type(event) is InductionRecordOpened or type(event) is InductionRecordClosed:
        if event.induction_status is InductionStatus.LEAVING and event.end_date is not None:
            yield event.end_date
        if type(event) is InductionRecordOpened and event.school_transfer:
            yield event.start_date
    if type(event) is ParticipantRegistered or type(event) is InductionStartRecorded:
        start = event.induction_start_date
        if start is not None:
            yield day_after(start)


def _may_be_shown_otherwise(before: Participant | None, after: Participant) -> bool:
    return (
        before is None or after.records is not before.records or after.registration is not before.registration
    )


class _Watch:
    """Writes the histories: an entry whenever what an organisation is shown changes."""

    def __init__(self) -> None:
        self.histories: dict[Viewer, list[StatusChange]] = {}
        self._by_record: dict[UUID, tuple[InductionRecord, list[list[StatusChange]]]] = {}

    def show(
        self, shown: Mapping[Viewer, InductionRecord], at: datetime, received_at: datetime | None
    ) -> None:
        """From now on these organisations, and no others, are shown these records."""
        for viewer, history in self.histories.items():
            if viewer not in shown and history and history[-1].state is not None:
                history.append(StatusChange(at, None, None, received_at))
        self._by_record = {}
        for viewer, record in shown.items():
            _, histories = self._by_record.setdefault(record.induction_record_id, (record, []))
            histories.append(self.histories.setdefault(viewer, []))

    @property
    def records(self) -> list[InductionRecord]:
        """What is shown now, to whomever."""
        return [record for record, _ in self._by_record.values()]

    def note(self, record: InductionRecord, state: State, at: datetime, received_at: datetime | None) -> None:
        """From now on this record is in this state."""
        for history in self._by_record[record.induction_record_id][1]:
            if not history or history[-1].state is not state:
                history.append(StatusChange(at, state.status, state, received_at))


def _settled(history: Sequence[StatusChange]) -> Iterator[StatusChange]:
    """Leave out what did not stand long enough, and join what is the same before and after it."""
    state: State | None = None
    for change, successor in zip(history, [*history[1:], None], strict=True):
        passing = successor is not None and successor.since - change.since < SETTLES
        if not passing and change.state is not state:
            state = change.state
            yield change

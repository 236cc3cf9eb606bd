"""What comes in, checked: an envelope of Manage ECTs whose content is one of the contracts.

Everything that could make a later step fail is refused here, where there is a reason to give and a place to
park it. The reasons repeat nothing of the content, which may be about a person.
"""

from collections.abc import Iterator
from datetime import date, datetime
from typing import NamedTuple, cast
from uuid import UUID

import orjson

from services.participants.domain.received import Event
from services.participants.domain.references import REFERRING, refers_to
from shared.contracts import manage_ects as contract
from shared.contracts.envelope import CloudEvent, EventRefused, PublishedEvent

PREFIX = "manage-ects."
HIGHEST_SEQUENCE = 2**63 - 1
FIRST_ACADEMIC_YEAR = 2020
EARLIEST, LATEST = 1900, 2200
"""Years outside are mistakes, and would bring calendars to their limits."""


class Refused(EventRefused):
    """This event cannot be taken. str() of it says why."""


class Bearing(NamedTuple):
    """On whom an event bears: whether its subject is a participant, and which subjects that one refers to."""

    subject: UUID
    by_participant: bool
    refers_to: tuple[UUID, ...]


class Incoming(NamedTuple):
    """An event as it goes into the log.

    row: its row there as a JSON object. The content in it is as it came, unknown fields included. That much
    goes from process to process in a tenth of the time that the event itself would take.
    """

    event_id: str
    row: bytes
    bearing: Bearing


def read(envelope: CloudEvent) -> Incoming:
    """Check one event. Raises Refused, UnknownEventType, or pydantic's ValidationError."""
    if envelope.source != contract.SOURCE:
        raise Refused(f"source: only events of {contract.SOURCE} are taken")
    event = cast("Event", contract.CATALOGUE.read(envelope))
    subject = event.subject
    if envelope.subject.lower() != subject:
        raise Refused("subject: differs from the ID in the content")
    if envelope.time.utcoffset() is None:
        raise Refused("time: has no offset from UTC")
    if envelope.position > HIGHEST_SEQUENCE:
        raise Refused("sequence: is too large")
    for name, day in _days(envelope.time, event):
        if not EARLIEST <= day.year <= LATEST:
            raise Refused(f"{name}: is not between {EARLIEST} and {LATEST}")
    year = getattr(event, "academic_year", FIRST_ACADEMIC_YEAR)
    if not FIRST_ACADEMIC_YEAR <= year <= envelope.time.year + 1:
        raise Refused(f"academic_year: is not between {FIRST_ACADEMIC_YEAR} and the year after the event")
    row = {
        "event_id": _storable(envelope.id),
        "subject": subject,
        "type": envelope.type,
        "sequence": envelope.position,
        "time": envelope.time,
        "data": orjson.Fragment(_as_json(envelope)),
    }
    return Incoming(envelope.id, orjson.dumps(row), _bearing(UUID(subject), event))


def from_log(type_: str, data: object) -> Event:
    """Return an event of the log. It was checked when it came in, by contracts that only ever grow.

    Raises KeyError or ValidationError when that is not so.
    """
    return _BY_TYPE[type_].model_validate(data)


def bearing_in_log(subject: UUID, type_: str, data: object) -> Bearing:
    """On whom an event of the log bears. Only the content of those that refer to others is looked at."""
    if type_ in REFERRING_TYPES:
        return _bearing(subject, from_log(type_, data))
    return Bearing(subject, type_ in PARTICIPANT_TYPES, ())


_BY_TYPE: dict[str, type[Event]] = {c.type: c for c in contract.CATALOGUE}
PARTICIPANT_TYPES = frozenset(c.type for c in _BY_TYPE.values() if issubclass(c, contract.ParticipantEvent))
REFERRING_TYPES = frozenset(c.type for c in REFERRING)


def _bearing(subject: UUID, event: Event) -> Bearing:
    references = refers_to(event) if event.type in REFERRING_TYPES else ()
    return Bearing(subject, event.type in PARTICIPANT_TYPES, references)


def _days(time: datetime, event: PublishedEvent) -> Iterator[tuple[str, date]]:
    yield "time", time
    for name, value in event:
        if isinstance(value, date):
            yield name, value


def _as_json(envelope: CloudEvent) -> str:
    try:
        return _storable(orjson.dumps(envelope.data).decode())
    except orjson.JSONEncodeError as error:
        raise Refused("data: holds what is no Unicode text, or a number out of range") from error


def _storable(text: str) -> str:
    if "\x00" in text or "\\u0000" in text:
        raise Refused("the event holds a NUL character")
    return text

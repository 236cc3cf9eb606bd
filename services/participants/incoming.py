"""What comes in, checked: an envelope of Manage ECTs whose content is one of the contracts.

Everything that could make a later step fail is refused here, where there is a reason to give and a place to
park it. The reasons repeat nothing of the content, which may be about a person.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

import orjson

from services.participants.domain.received import Event
from shared.contracts import manage_ects as contract
from shared.contracts.envelope import CloudEvent, EventRefused, PublishedEvent, UnknownEventType

PREFIX = "manage-ects."
HIGHEST_SEQUENCE = 2**63 - 1
FIRST_ACADEMIC_YEAR = 2020
EARLIEST, LATEST = 1900, 2200
"""Years outside are mistakes, and would bring calendars to their limits."""


class Refused(EventRefused):
    """This event cannot be taken. str() of it says why."""


@dataclass(frozen=True, slots=True)
class Incoming:
    """An event as it goes into the log. data: its content as JSON, as it came (unknown fields included)."""

    event_id: str
    subject: UUID
    type: str
    sequence: int
    time: datetime
    event: Event
    data: str


def read(envelope: CloudEvent) -> Incoming:
    """Check one event. Raises Refused, UnknownEventType, or pydantic's ValidationError."""
    if envelope.source != contract.SOURCE:
        raise Refused(f"source: only events of {contract.SOURCE} are taken")
    event = contract.CATALOGUE.read(envelope)
    if envelope.subject.lower() != event.subject:
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
    return Incoming(
        event_id=_storable(envelope.id),
        subject=UUID(event.subject),
        type=envelope.type,
        sequence=envelope.position,
        time=envelope.time,
        event=_known(event),
        data=_as_json(envelope),
    )


def from_log(type_: str, data: object) -> Event:
    """Return an event of the log. It was checked when it came in, by contracts that only ever grow."""
    return _known(_BY_TYPE[type_].model_validate(data))


_BY_TYPE: dict[str, type[PublishedEvent]] = {c.type: c for c in contract.CATALOGUE}


def _known(event: PublishedEvent) -> Event:
    if isinstance(event, Event):
        return event
    raise UnknownEventType(event.type)


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

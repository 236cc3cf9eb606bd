"""The history as a file: one CloudEvent in JSON on each line."""

from collections.abc import Iterable
from typing import TextIO

from services.manage_ects.domain.history import Happening
from shared.contracts.envelope import CloudEvent
from shared.contracts.manage_ects import SOURCE


def to_cloud_event(happening: Happening, sequence: int, previous: int) -> CloudEvent:
    event = happening.event
    return CloudEvent(
        id=str(happening.event_id),
        source=SOURCE,
        type=event.type,
        subject=event.subject,
        time=happening.time,
        data=event.model_dump(mode="json"),
        sequence=str(sequence),
        previous=str(previous),
    )


def write(happenings: Iterable[Happening], out: TextIO) -> int:
    """Write all, numbered from 1. Returns how many."""
    sequence = 0
    for sequence, happening in enumerate(happenings, 1):
        event = to_cloud_event(happening, sequence, sequence - 1)
        out.write(event.model_dump_json(exclude_none=True) + "\n")
    return sequence

"""What the two services of the campaign tell each other: numbers, counted up per subject."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import ClassVar

from sqlalchemy import Table, text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.bus.publication import Publication
from shared.clock import Clock
from shared.contracts.envelope import CloudEvent, PublishedEvent
from shared.event_store import Codec
from shared.work_queue import enqueue

PUBLISHER = "publisher"
READER = "reader"
SENDER = "sender"
EMAIL = "email"
EMAIL_EVERY = 5
"""Of a subject's numbers, each fifth asks for an email."""

LOAD_FLAG = "load"
"""While this file is there, the publishers append."""
SLOW_FLAG = "slow"
"""While this file is there, each batch takes the reader half a second more."""
FEED_AWAY_FLAG = "feed-away"
"""While this file is there, the publishers do not serve their feed."""
ACKNOWLEDGED = "acknowledged"
"""A line for each event whose commit was answered."""
EMAILS = "emails"
"""A line for each email that left the house: key, seconds since the epoch, process."""


@dataclass(frozen=True, slots=True)
class Counted:
    """number: the subject's numbers are 1, 2, 3 …; secret ones stay at home."""

    subject: str
    number: int
    secret: bool


class CountedV1(PublishedEvent):
    type: ClassVar[str] = "faults.counted.v1"
    subject_field: ClassVar[str] = "subject_id"
    subject_id: str
    number: int


def publish(event: Counted) -> PublishedEvent | None:
    return None if event.secret else CountedV1(subject_id=event.subject, number=event.number)


CODEC: Codec[Counted] = Codec({"Counted": Counted})
PUBLICATION: Publication[Counted] = Publication(PUBLISHER, "/publisher", publish)

READER_TABLES = (
    # Nothing here is unique on purpose: what is applied twice must show.
    "CREATE TABLE seen (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, event_id text NOT NULL,"
    " subject text NOT NULL, number int NOT NULL, position bigint NOT NULL)",
    "CREATE TABLE totals (subject text PRIMARY KEY, events int NOT NULL, sum bigint NOT NULL)",
    f"GRANT SELECT, INSERT, UPDATE ON seen, totals TO {READER}_service",
)
SEE = text(
    "INSERT INTO seen (event_id, subject, number, position) VALUES (:id, :subject, :number, :position)"
)
ADD = text(
    "INSERT INTO totals (subject, events, sum) VALUES (:subject, 1, :number) ON CONFLICT (subject)"
    " DO UPDATE SET events = totals.events + 1, sum = totals.sum + excluded.sum"
)


class Sightings:
    """The read model: every event as a row, and running totals that a second application would spoil."""

    name = "sightings"
    publisher = PUBLISHER
    tables: tuple[Table, ...] = ()

    def __init__(self, folder: Path) -> None:
        self._slow = folder / SLOW_FLAG

    async def apply(self, connection: AsyncConnection, events: Sequence[CloudEvent]) -> None:
        if self._slow.exists():
            await connection.execute(text("SELECT pg_sleep(0.5)"))
        rows = [
            {"id": e.id, "subject": e.subject, "number": e.data["number"], "position": e.position}
            for e in events
        ]
        await connection.execute(SEE, rows)
        await connection.execute(ADD, rows)
        for event in events:
            if int(str(event.data["number"])) % EMAIL_EVERY == 0:
                await enqueue(connection, EMAIL, event.id, {"subject": event.subject})


def write_line(path: Path, *fields: object) -> None:
    """Append one line, whole or not at all: it stays when this process is killed right afterwards."""
    line = " ".join(str(f) for f in fields) + "\n"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    try:
        os.write(descriptor, line.encode())
    finally:
        os.close(descriptor)


def skewed_clock(seconds: float) -> Clock:
    """A clock that is off by so much."""
    return lambda: datetime.now(UTC) + timedelta(seconds=seconds)

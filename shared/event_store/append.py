"""Events → rows: one statement for any number of events and streams.

Where each stream stands is looked up and compared by the statement itself, so an append is one round trip.
Two appends that both see a stream at the same version are told apart by UNIQUE (stream, version).
"""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Generic, TypeVar
from uuid import UUID, uuid4

import orjson

from shared.event_store.codec import Codec
from shared.event_store.recorded import Metadata, Recorded

Event = TypeVar("Event")

BUCKETS: Final = 1024
"""A stream belongs to one of so many buckets, a bucket to one partition of the bus."""

NO_STREAM: Final = 0
"""Expect that the stream does not exist yet."""

ANY: Final = None
"""Append whatever the stream's version is."""

APPEND: Final = """
    WITH target AS MATERIALIZED (
        SELECT t.number, t.stream, t.expected, t.bucket, t.metadata::jsonb AS metadata, coalesce(
            (SELECT max(events.version) FROM events WHERE events.stream = t.stream), 0
        ) AS version, clock_timestamp() AS at
        FROM unnest($1::text[], $2::int[], $3::smallint[], $4::text[])
            WITH ORDINALITY AS t (stream, expected, bucket, metadata, number)
    ), appended AS (
        INSERT INTO events
            (event_id, stream, version, type, schema_version, data, metadata, bucket, happened_at,
             recorded_at)
        SELECT n.event_id, target.stream, target.version + n.place, n.type, n.schema_version, n.data::jsonb,
               target.metadata, target.bucket, n.happened_at, target.at
        FROM unnest(
            $5::int[], $6::int[], $7::uuid[], $8::text[], $9::smallint[], $10::text[], $11::timestamptz[]
        ) WITH ORDINALITY
            AS n (target, place, event_id, type, schema_version, data, happened_at, number)
        JOIN target ON target.number = n.target
        WHERE target.version = coalesce(target.expected, target.version)
        ORDER BY n.number
        RETURNING id
    ), awaiting AS (
        INSERT INTO events_awaiting_position (event) SELECT id FROM appended
    )
    SELECT stream, version, at FROM target WHERE version = coalesce(expected, version)
"""
"""For each stream that was as expected: its name, its version before, and the time of recording. Of the
others nothing is inserted."""

APPEND_ONE: Final = """
    WITH target AS MATERIALIZED (
        SELECT coalesce(max(version), 0) AS version, clock_timestamp() AS at FROM events WHERE stream = $1
    ), appended AS (
        INSERT INTO events
            (stream, version, bucket, metadata, event_id, type, schema_version, data, happened_at,
             recorded_at)
        SELECT $1, version + 1, $3::smallint, $4::text::jsonb, $5::uuid, $6::text, $7::smallint,
               $8::text::jsonb, $9::timestamptz, at
        FROM target WHERE version = coalesce($2::int, version)
        RETURNING id
    ), awaiting AS (
        INSERT INTO events_awaiting_position (event) SELECT id FROM appended
    )
    SELECT $1::text AS stream, version, at FROM target WHERE version = coalesce($2::int, version)
"""
"""The same for one event. Its plan does not depend on the length of arrays, so Postgres keeps it: planning
would take as long as the rest."""


class ConcurrentAppend(Exception):
    """A stream was not at the expected version: somebody else appended first."""


@dataclass(frozen=True, slots=True)
class NewEvents(Generic[Event]):
    """Events for one stream.

    expected: the stream's version before them, NO_STREAM or ANY. happened_at, event_ids: one for each event
    when they come with their own; otherwise now and random.
    """

    stream: str
    expected: int | None
    events: Sequence[Event]
    happened_at: Sequence[datetime] = ()
    event_ids: Sequence[UUID] = ()


@dataclass(frozen=True, slots=True)
class Append(Generic[Event]):
    """New events of one stream as rows: event ID, type, schema version, data, time of happening."""

    stream: str
    expected: int | None
    metadata: Metadata
    events: Sequence[Event]
    rows: Sequence[tuple[UUID, str, int, str, datetime]]

    def __str__(self) -> str:
        return f"{self.stream} is not at {self.expected}"

    def recorded(self, version: int, at: datetime) -> list[Recorded[Event]]:
        """The events as they were recorded at a time, when the stream was at this version before."""
        return [
            Recorded(event_id, self.stream, number, None, event, self.metadata, happened_at, at)
            for number, (event, (event_id, _, _, _, happened_at)) in enumerate(
                zip(self.events, self.rows, strict=True), version + 1
            )
        ]


def prepare(new: NewEvents[Event], codec: Codec[Event], metadata: Metadata, now: datetime) -> Append[Event]:
    types = [codec.name(event) for event in new.events]
    rows = zip(
        new.event_ids or [uuid4() for _ in new.events],
        types,
        [codec.schema_version(name) for name in types],
        [codec.encode(event) for event in new.events],
        new.happened_at or [now] * len(new.events),
        strict=True,
    )
    return Append(new.stream, new.expected, metadata, new.events, list(rows))


def statement(appends: Sequence[Append[Any]]) -> tuple[str, tuple[Any, ...]]:
    """SQL and its parameters. Each stream may occur once, and each append has an event."""
    targets = [
        (a.stream, a.expected, bucket_of(a.stream), orjson.dumps(a.metadata).decode()) for a in appends
    ]
    rows = [
        (target, place, *row)
        for target, append in enumerate(appends, 1)
        for place, row in enumerate(append.rows, 1)
    ]
    if len(rows) == 1:
        return APPEND_ONE, (*targets[0], *appends[0].rows[0])
    return APPEND, (*zip(*targets, strict=True), *zip(*rows, strict=True))


def bucket_of(stream: str) -> int:
    """The same in every process and on every machine, unlike hash()."""
    return zlib.crc32(stream.encode()) % BUCKETS

"""Append events to streams, and read them back."""

import zlib
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, Generic, TypeVar
from uuid import UUID, uuid4

import orjson
from sqlalchemy import ARRAY, Row, Select, Text, any_, bindparam, func, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.clock import Clock
from shared.event_store.codec import Codec
from shared.event_store.recorded import Metadata, Recorded
from shared.event_store.tables import events, positions
from shared.tracing import current_trace

Event = TypeVar("Event")

BUCKETS: Final = 1024
"""A stream belongs to one of so many buckets, a bucket to one partition of the bus."""

APPEND = text("""
    WITH expected AS (
        SELECT * FROM unnest(CAST(:streams AS text[]), CAST(:versions AS int[])) AS e (stream, version)
    ), appended AS (
        INSERT INTO events
            (event_id, stream, version, type, schema_version, data, metadata, bucket, happened_at)
        SELECT n.event_id, n.stream, n.version, n.type, n.schema_version,
               n.data::jsonb, CAST(:metadata AS jsonb), n.bucket, n.happened_at
        FROM unnest(
            CAST(:event_ids AS uuid[]), CAST(:event_streams AS text[]), CAST(:event_versions AS int[]),
            CAST(:types AS text[]), CAST(:schema_versions AS smallint[]), CAST(:data AS text[]),
            CAST(:buckets AS smallint[]), CAST(:happened AS timestamptz[])
        ) WITH ORDINALITY
            AS n (event_id, stream, version, type, schema_version, data, bucket, happened_at, ordinal)
        WHERE NOT EXISTS (
            SELECT FROM expected
            WHERE expected.version <> (
                SELECT coalesce(max(events.version), 0) FROM events WHERE events.stream = expected.stream
            )
        )
        ORDER BY n.ordinal
        RETURNING id, recorded_at
    ), awaiting AS (
        INSERT INTO events_awaiting_position (event) SELECT id FROM appended
    )
    SELECT count(*) AS appended, max(recorded_at) AS recorded_at FROM appended
""")
"""One statement for any number of events and streams. Nothing is inserted when a stream is not where it
is expected; two appends that both see it there are told apart by UNIQUE (stream, version)."""


class ConcurrentAppend(Exception):
    """A stream was not at the expected version: somebody else appended first."""


@dataclass(frozen=True, slots=True)
class NewEvents(Generic[Event]):
    """Events for one stream. expected: the stream's version before them (0: it does not exist yet)."""

    stream: str
    expected: int
    events: Sequence[Event]


@dataclass(frozen=True, slots=True)
class Stream(Generic[Event]):
    """What is in a stream now."""

    version: int
    events: Sequence[Event]


class EventStore(Generic[Event]):
    """One service's events.

    wake: called after a commit that appended or asked for it, so that nobody need wait for the next look.
    """

    def __init__(
        self, engine: AsyncEngine, codec: Codec[Event], clock: Clock, wake: Callable[[], None] = lambda: None
    ) -> None:
        self.engine = engine
        self.codec = codec
        self._clock = clock
        self._wake = wake

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator["Transaction[Event]"]:
        """One database transaction: appends, and the rows that go with them, all or nothing.

        Raises ConcurrentAppend when another transaction appended to one of the streams meanwhile.
        """
        async with self.engine.begin() as connection:
            transaction = Transaction(connection, self.codec, self._clock)
            yield transaction
        if transaction.wakes:
            self._wake()

    async def read_all(self, after: int = 0, limit: int = 1000) -> list[Recorded[Event]]:
        """Numbered events with position > after, in order, at most `limit`.

        Never skips: what is numbered is committed, and later commits get later numbers.
        """
        query = _SELECT_NUMBERED.where(positions.c.position > after).order_by(positions.c.position)
        return await self._read(query.limit(limit))

    async def read_all_backwards(self, before: int | None = None, limit: int = 1000) -> list[Recorded[Event]]:
        """Numbered events with position < before (None: from the last one), newest first."""
        query = _SELECT_NUMBERED.order_by(positions.c.position.desc())
        if before is not None:
            query = query.where(positions.c.position < before)
        return await self._read(query.limit(limit))

    async def read_stream(
        self, stream: str, *, after: int = 0, limit: int | None = None, backwards: bool = False
    ) -> list[Recorded[Event]]:
        """Events of a stream with version > after, oldest first, or newest first when `backwards`."""
        query = _SELECT_STREAM.where(events.c.stream == stream, events.c.version > after)
        query = query.order_by(events.c.version.desc() if backwards else events.c.version)
        return await self._read(query.limit(limit))

    async def last_position(self) -> int:
        async with self.engine.connect() as connection:
            return await connection.scalar(select(func.coalesce(func.max(positions.c.position), 0))) or 0

    async def _read(self, query: Select[Any]) -> list[Recorded[Event]]:
        async with self.engine.connect() as connection:
            return [_recorded(row, self.codec) for row in await connection.execute(query)]


class Transaction(Generic[Event]):
    """Use `connection` for rows that must commit together with the events."""

    def __init__(self, connection: AsyncConnection, codec: Codec[Event], clock: Clock) -> None:
        self.connection = connection
        self.wakes = False
        self._codec = codec
        self._clock = clock

    def wake_when_done(self) -> None:
        """Call the store's `wake` after the commit: there is something new for those who wait."""
        self.wakes = True

    async def load(self, stream: str) -> Stream[Event]:
        """The whole stream. Raises nothing when it does not exist: version 0, no events."""
        query = _SELECT_STREAM.where(events.c.stream == stream).order_by(events.c.version)
        recorded = [_recorded(row, self._codec) for row in await self.connection.execute(query)]
        return Stream(len(recorded), [r.event for r in recorded])

    async def version(self, stream: str) -> int:
        """The stream's present version, for an append that does not care what happened before."""
        return (await self.versions([stream])).get(stream, 0)

    async def versions(self, streams: Collection[str]) -> dict[str, int]:
        """Present versions of those of the streams that exist."""
        query = (
            select(events.c.stream, func.max(events.c.version).label("version"))
            .where(events.c.stream == any_(bindparam("streams", list(streams), ARRAY(Text))))
            .group_by(events.c.stream)
        )
        return {row.stream: row.version for row in await self.connection.execute(query)}

    async def append(
        self, stream: str, new: Sequence[Event], *, expected: int, actor: str | None
    ) -> list[Recorded[Event]]:
        """Append to one stream at the expected version. Raises ConcurrentAppend."""
        return await self.append_all([NewEvents(stream, expected, new)], actor=actor)

    async def append_all(
        self,
        batch: Iterable[NewEvents[Event]],
        *,
        actor: str | None,
        happened_at: Mapping[int, datetime] | None = None,
        event_ids: Mapping[int, UUID] | None = None,
    ) -> list[Recorded[Event]]:
        """Append to several streams in one statement. Raises ConcurrentAppend when any is not as expected.

        happened_at, event_ids: by place in the batch, for events that come with a time and an ID of their
        own; now and random otherwise.
        """
        batch = [new for new in batch if new.events]
        if not batch:
            return []
        now = self._clock()
        trace = current_trace()
        metadata = Metadata(actor, trace.correlation_id, trace.causation_id, trace.child().traceparent)
        flat = [
            (new.stream, new.expected + n, event) for new in batch for n, event in enumerate(new.events, 1)
        ]
        recorded = [
            Recorded(
                event_id=(event_ids or {}).get(place) or uuid4(),
                stream=stream,
                version=version,
                position=None,
                event=event,
                metadata=metadata,
                happened_at=(happened_at or {}).get(place, now),
                recorded_at=now,
            )
            for place, (stream, version, event) in enumerate(flat)
        ]
        recorded_at = await self._insert(batch, recorded, metadata)
        self.wake_when_done()
        return [replace(r, recorded_at=recorded_at) for r in recorded]

    async def _insert(
        self, batch: Sequence[NewEvents[Event]], recorded: Sequence[Recorded[Event]], metadata: Metadata
    ) -> datetime:
        names = [self._codec.name(r.event) for r in recorded]
        parameters = {
            "streams": [new.stream for new in batch],
            "versions": [new.expected for new in batch],
            "event_ids": [r.event_id for r in recorded],
            "event_streams": [r.stream for r in recorded],
            "event_versions": [r.version for r in recorded],
            "types": names,
            "schema_versions": [self._codec.schema_version(name) for name in names],
            "data": [self._codec.encode(r.event) for r in recorded],
            "buckets": [bucket_of(r.stream) for r in recorded],
            "happened": [r.happened_at for r in recorded],
            "metadata": orjson.dumps(metadata).decode(),
        }
        try:
            row = (await self.connection.execute(APPEND, parameters)).one()
        except IntegrityError as error:
            raise ConcurrentAppend(_streams(batch)) from error
        if row.appended != len(recorded):
            raise ConcurrentAppend(_streams(batch))
        at: datetime = row.recorded_at
        return at


def bucket_of(stream: str) -> int:
    """The same in every process and on every machine, unlike hash()."""
    return zlib.crc32(stream.encode()) % BUCKETS


def _streams(batch: Sequence[NewEvents[Any]]) -> str:
    return ", ".join(f"{new.stream} is not at {new.expected}" for new in batch[:3])


_SELECT_NUMBERED = select(events, positions.c.position).join(positions, positions.c.event == events.c.id)
_SELECT_STREAM = select(events, positions.c.position).outerjoin(positions, positions.c.event == events.c.id)


def _recorded(row: Row[Any], codec: Codec[Event]) -> Recorded[Event]:
    return Recorded(
        event_id=row.event_id,
        stream=row.stream,
        version=row.version,
        position=row.position,
        event=codec.decode(row.type, row.schema_version, row.data),
        metadata=Metadata(**row.metadata),
        happened_at=row.happened_at,
        recorded_at=row.recorded_at,
    )

"""Append events to streams, and read them back."""

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Generic, TypeVar

from pydantic import TypeAdapter
from sqlalchemy import Row, Select, Text, cast, func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.clock import Clock
from shared.event_store.append import ConcurrentAppend, NewEvents, prepare, statement
from shared.event_store.codec import Codec
from shared.event_store.group_commit import GroupCommit
from shared.event_store.recorded import Metadata, Recorded
from shared.event_store.tables import events, positions
from shared.spans import Kind, span
from shared.tracing import Trace, new_trace, trace_at_hand

Event = TypeVar("Event")

SOMEBODY_WAS_FASTER = ("23505", "40P01")
"""SQLSTATE: the version is taken; or two transactions wait for each other, and this one gives way."""


@dataclass(frozen=True, slots=True)
class Stream(Generic[Event]):
    """What is in a stream now."""

    version: int
    events: Sequence[Event]


class EventStore(Generic[Event]):
    """One service's events.

    wake, wake_workers: called after a commit that may have something for the relay, or for workers, so that
    nobody need wait for the next look.
    """

    def __init__(
        self,
        engine: AsyncEngine,
        codec: Codec[Event],
        clock: Clock,
        wake: Callable[[], None] = lambda: None,
        wake_workers: Callable[[], None] = lambda: None,
    ) -> None:
        self.engine = engine
        self.codec = codec
        self._clock = clock
        self._wake = wake
        self._wake_workers = wake_workers
        self._group_commit = GroupCommit(engine)

    async def close(self) -> None:
        """Finish what is being appended, and hold no connection any longer: before the engine is disposed."""
        await self._group_commit.close()

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
            self._wake_workers()

    async def append(
        self, stream: str, new: Sequence[Event], *, expected: int | None, actor: str | None
    ) -> list[Recorded[Event]]:
        """Append to one stream, with nothing else in the transaction: the quickest way.

        expected: the stream's version, NO_STREAM or ANY. Committed when it returns. Raises ConcurrentAppend
        when the stream is not as expected.
        """
        step, parent = _step()
        append = prepare(NewEvents(stream, expected, new), self.codec, _metadata(actor, step), self._clock())
        with span("append", Kind.PRODUCER, step, parent, events=len(new)):
            version, at = await self._group_commit.append(append)
        self._wake()
        return append.recorded(version, at)

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

    async def position_before(self, age: timedelta) -> int:
        """The position up to which events were recorded longer ago than `age`, about; 0 when none was.

        Positions follow the commits, so they are in the order of recording but for what overlapped: halving
        finds the place in a log of any length, and needs no index.
        """
        async with self.engine.connect() as connection:
            return await connection.scalar(_POSITION_BEFORE, {"age": age}) or 0

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

    async def append(
        self, stream: str, new: Sequence[Event], *, expected: int | None, actor: str | None
    ) -> list[Recorded[Event]]:
        """Append to one stream. expected: its version, NO_STREAM or ANY. Raises ConcurrentAppend."""
        return await self.append_all([NewEvents(stream, expected, new)], actor=actor)

    async def append_all(
        self, batch: Iterable[NewEvents[Event]], *, actor: str | None
    ) -> list[Recorded[Event]]:
        """Append to several streams, each named once, in one statement.

        Raises ConcurrentAppend when any is not as expected, or (also with ANY) when another transaction
        appends to it at the same moment. The transaction must then be left: it is half done.
        """
        step, parent = _step()
        metadata, now = _metadata(actor, step), self._clock()
        appends = [prepare(new, self._codec, metadata, now) for new in batch if new.events]
        if not appends:
            return []
        try:
            with span("append", Kind.PRODUCER, step, parent, events=sum(len(a.rows) for a in appends)):
                rows = await self.connection.exec_driver_sql(*statement(appends))
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) not in SOMEBODY_WAS_FASTER:
                raise
            raise ConcurrentAppend(str(appends[0])) from error
        appended = {row.stream: (row.version, row.at) for row in rows}
        for append in appends:
            if append.stream not in appended:
                raise ConcurrentAppend(str(append))
        self.wake_when_done()
        return [one for append in appends for one in append.recorded(*appended[append.stream])]


_RECORDED = (
    events.c.event_id,
    events.c.stream,
    events.c.version,
    positions.c.position,
    events.c.type,
    events.c.schema_version,
    cast(events.c.data, Text),  # it is read once, as what it is, instead of first as a dictionary
    cast(events.c.metadata, Text),
    events.c.happened_at,
    events.c.recorded_at,
)
_SELECT_NUMBERED = select(*_RECORDED).join(positions, positions.c.event == events.c.id)
_SELECT_STREAM = select(*_RECORDED).outerjoin(positions, positions.c.event == events.c.id)
_POSITION_BEFORE = text("""
    WITH RECURSIVE search (low, high) AS (
        SELECT 0::bigint, coalesce(max(position), 0) FROM event_positions
        UNION ALL
        SELECT CASE WHEN is_older THEN middle ELSE low END, CASE WHEN is_older THEN high ELSE middle - 1 END
        FROM (
            SELECT low, high, middle, recorded_at < now() - CAST(:age AS interval) AS is_older
            FROM (SELECT low, high, (low + high + 1) / 2 AS middle FROM search WHERE low < high) AS halves
            JOIN event_positions ON position = middle
            JOIN events ON events.id = event_positions.event
        ) AS looked_at
    )
    SELECT low FROM search WHERE low = high
""")
_METADATA = TypeAdapter(Metadata)


def _step() -> tuple[Trace, str | None]:
    """The step of appending, and the span that it is part of."""
    trace = trace_at_hand()
    return (trace.child(), trace.span_id) if trace else (new_trace(), None)


def _metadata(actor: str | None, step: Trace) -> Metadata:
    """What leads to an event that is appended in this step, by this actor."""
    return Metadata(actor, step.correlation_id, step.causation_id, step.traceparent)


def _recorded(row: Row[Any], codec: Codec[Event]) -> Recorded[Event]:
    event_id, stream, version, position, type_, schema_version, data, metadata, happened_at, recorded_at = (
        tuple(row)
    )
    return Recorded(
        event_id,
        stream,
        version,
        position,
        codec.decode(type_, schema_version, data),
        _METADATA.validate_json(metadata),
        happened_at,
        recorded_at,
    )

"""Events → a projection's rows, with the checkpoint in one transaction; what cannot be applied is parked."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Protocol

import structlog
from prometheus_client import Counter, Gauge
from sqlalchemy import Table
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.bus.checkpoints import LostRace, checkpoint_moved_at, load_checkpoint, move_checkpoint
from shared.bus.parking import FOLLOWS, park, parked_subjects, reason_of
from shared.bus.trace import trace_of
from shared.contracts.envelope import CloudEvent
from shared.database.engine import Begin
from shared.database.errors import is_passing
from shared.spans import Kind, are_told, span
from shared.tracing import tracing

log = structlog.get_logger(__name__)

APPLIED = Counter("checkdata_projection_events_total", "Events applied", ["projection"])
AT = Gauge(
    "checkdata_projection_position", "Position up to which events are applied", ["projection", "partition"]
)
CURRENT_AT = Gauge(
    "checkdata_projection_current_timestamp_seconds",
    "The last moment of which it is known that all that was told by then is applied",
    ["projection", "partition"],
)
"""Of now less this, the lag. Why not the newest event told less the newest applied: that difference stands
still while a reader hangs, however long, if nothing more is told."""


LINKS = 100
"""Of a batch, so many events at most are named in its span."""


class Projection(Protocol):
    """Rows made of another service's events.

    tables: its own. Nobody else writes them, and every row of them follows from the log, so a rebuild may
    replace it. A table that is itself a record (a log, the audit) is none of them.
    """

    @property
    def name(self) -> str: ...

    @property
    def publisher(self) -> str: ...

    @property
    def tables(self) -> Sequence[Table]: ...

    async def apply(self, connection: AsyncConnection, events: Sequence[CloudEvent]) -> None:
        """Write the rows for these events, in order, within the connection's transaction.

        Anything raised, save trouble with the database itself, means that an event cannot be applied: the
        batch is then tried one by one, and what fails is parked with a reason made of the error
        (parking.reason_of). The trace at hand is that of the batch's last event: what one event leads to,
        a job or an event of our own, is written within `tracing(trace_of(event))`.
        """
        ...


class Applier:
    """One partition of one projection. Applies each event once, in order, and never goes back."""

    def __init__(self, projection: Projection, begin: Begin, partition: int) -> None:
        self._projection = projection
        self._begin = begin
        self._partition = partition
        self._current_at = 0.0
        self.checkpoint = 0

    async def reload(self) -> None:
        """Learn the checkpoint from the database."""
        async with self._begin() as connection:
            self.checkpoint = await load_checkpoint(connection, self._projection.name, self._partition)
            moved_at = await checkpoint_moved_at(connection, self._projection.name, self._partition)
        AT.labels(self._projection.name, str(self._partition)).set(self.checkpoint)
        self.current(moved_at)

    async def apply(self, events: Sequence[CloudEvent], up_to: int) -> None:
        """Apply what follows the checkpoint, and move it. Raises LostRace, or trouble with the database."""
        try:
            await self._apply_together(events, up_to)
        except Exception as error:
            if is_passing(error) or isinstance(error, LostRace):
                raise
            log.warning("batch_refused", projection=self._projection.name, error=type(error).__name__)
            await self._apply_one_by_one(events, up_to)
        self.checkpoint = up_to
        APPLIED.labels(self._projection.name).inc(len(events))
        AT.labels(self._projection.name, str(self._partition)).set(up_to)
        if events:
            self.current(events[-1].time)

    def current(self, at: datetime) -> None:
        """Say that all that was told up to this moment is applied.

        Later moments count only: an event may have happened long before it was told.
        """
        self._current_at = max(self._current_at, at.timestamp())
        CURRENT_AT.labels(self._projection.name, str(self._partition)).set(self._current_at)

    async def _apply_together(self, events: Sequence[CloudEvent], up_to: int) -> None:
        async with self._begin() as connection:
            await self._move(connection, up_to)
            waiting = await parked_subjects(connection, self._projection.name, {e.subject for e in events})
            for event in events:
                if event.subject in waiting:
                    await park(connection, self._projection.name, event, FOLLOWS, event.position)
            ready = [event for event in events if event.subject not in waiting]
            if ready:
                with self._applying(ready):
                    await self._projection.apply(connection, ready)

    async def _apply_one_by_one(self, events: Sequence[CloudEvent], up_to: int) -> None:
        async with self._begin() as connection:
            await self._move(connection, up_to)
            for event in events:
                if await parked_subjects(connection, self._projection.name, {event.subject}):
                    await park(connection, self._projection.name, event, FOLLOWS, event.position)
                    continue
                try:
                    async with connection.begin_nested():
                        with self._applying([event]):
                            await self._projection.apply(connection, [event])
                except Exception as error:
                    if is_passing(error):
                        raise
                    reason = reason_of(error)
                    log.warning(
                        "event_parked",
                        projection=self._projection.name,
                        position=event.position,
                        type=event.type,
                        reason=reason,
                    )
                    await park(connection, self._projection.name, event, reason, event.position)

    @contextmanager
    def _applying(self, events: Sequence[CloudEvent]) -> Iterator[None]:
        """The trace at hand is the last one's; the others' are linked to the span."""
        *others, last = events
        because = trace_of(last)
        step = because.child()
        links = [trace_of(event) for event in others[-LINKS:]] if are_told() else ()
        name = f"apply {self._projection.name}"
        with tracing(step), span(name, Kind.CONSUMER, step, because.span_id, links, events=len(events)):
            yield

    async def _move(self, connection: AsyncConnection, up_to: int) -> None:
        await move_checkpoint(
            connection, self._projection.name, self._partition, old=self.checkpoint, new=up_to
        )

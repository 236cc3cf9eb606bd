"""Applies a publisher's events to this service's rows: in order, each once, whatever dies meanwhile.

The bus brings events quickly and may lose them; the checkpoint, which moves in the transaction that writes
the rows, says what is applied; each event names the one before it. So a hole is noticed, and filled from
the publisher's feed.
"""

import asyncio
from collections.abc import Sequence
from typing import Any, Protocol

import httpx
import structlog
from faststream.redis import RedisBroker, StreamSub
from prometheus_client import Counter, Gauge
from pydantic import ValidationError
from redis.exceptions import RedisError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.bus.checkpoints import LostRace, load_checkpoint, move_checkpoint
from shared.bus.feed import Feed
from shared.bus.parking import FOLLOWS, park, parked_subjects, reason_of
from shared.bus.publication import bus_stream
from shared.bus.stream import batch_as_it_is
from shared.contracts.envelope import CLOUD_EVENTS, CloudEvent
from shared.database.errors import AWAY, is_passing
from shared.database.exclusive import exclusive
from shared.tasks import stop_tasks
from shared.tracing import Trace, new_trace, tracing

log = structlog.get_logger(__name__)

APPLIED = Counter("checkdata_projection_events_total", "Events applied", ["projection"])
AT = Gauge(
    "checkdata_projection_position", "Position up to which events are applied", ["projection", "partition"]
)

RETRY_SECONDS = 1.0
IDLE_SECONDS = 3.0
"""Without news for so long, the feed is asked whether there are any: it may be the bus that is silent."""


class Projection(Protocol):
    """Rows made of another service's events."""

    @property
    def name(self) -> str: ...

    @property
    def publisher(self) -> str: ...

    async def apply(self, connection: AsyncConnection, events: Sequence[CloudEvent]) -> None:
        """Write the rows for these events, in order, within the connection's transaction.

        Anything raised, save trouble with the database itself, means that an event cannot be applied: the
        batch is then tried one by one, and what fails is parked with the error as its reason.
        """
        ...


class ProjectionRunner:
    """One projection of one partition. Active in one process at a time, the others stand by."""

    def __init__(
        self,
        projection: Projection,
        engine: AsyncEngine,
        broker: RedisBroker,
        feed: Feed,
        *,
        partition: int,
        partitions: int,
        batch: int,
    ) -> None:
        self._projection = projection
        self._engine = engine
        self._broker = broker
        self._feed = feed
        self._partition = partition
        self._partitions = partitions
        self._batch = batch
        self._checkpoint = 0
        self._turn = asyncio.Lock()
        self._news = asyncio.Event()

    async def run(self) -> None:
        """Never returns."""
        name = f"projection:{self._projection.name}:{self._partition}"
        while True:
            try:
                async with exclusive(self._engine, name) as lease:
                    await self._reload()
                    await lease.hold(self._follow)
            except (*AWAY, LostRace, RedisError) as error:
                log.warning(
                    "projection_interrupted", projection=self._projection.name, error=type(error).__name__
                )
            await asyncio.sleep(RETRY_SECONDS)

    async def _follow(self) -> None:
        """Read the bus from the checkpoint on, and the feed whenever the bus is silent."""
        subscriber = self._broker.subscriber(
            stream=StreamSub(
                bus_stream(self._projection.publisher, self._partition),
                batch=True,
                max_records=self._batch,
                last_id=f"{self._checkpoint}-0",
            ),
            parser=batch_as_it_is,
            persistent=False,
        )
        subscriber(self._from_bus)
        started = asyncio.create_task(self._start(subscriber))
        try:
            while True:
                async with self._turn:
                    await self._catch_up()
                await self._wait_for_silence()
        finally:
            await stop_tasks([started])
            await subscriber.stop()

    async def _start(self, subscriber: Any) -> None:
        while True:
            try:
                await self._broker.connect()
                await subscriber.start()
                return
            except (RedisError, OSError) as error:
                log.warning("bus_away", projection=self._projection.name, error=type(error).__name__)
                await asyncio.sleep(RETRY_SECONDS)

    async def _wait_for_silence(self) -> None:
        while True:
            self._news.clear()
            try:
                async with asyncio.timeout(IDLE_SECONDS):
                    await self._news.wait()
            except TimeoutError:
                return

    async def _from_bus(self, body: bytes) -> None:
        """FastStream's handler. It must not raise: FastStream has moved on, and would not come back."""
        self._news.set()
        async with self._turn:
            while True:
                try:
                    await self._take(CLOUD_EVENTS.validate_json(body))
                    return
                except ValidationError:
                    # Not an envelope of ours: the feed says what the publisher really meant.
                    await self._catch_up()
                    return
                except LostRace:
                    # Another process was active, or a commit of ours succeeded without our hearing of it.
                    await self._reload()
                except AWAY as error:
                    log.warning("apply_delayed", projection=self._projection.name, error=type(error).__name__)
                    await asyncio.sleep(RETRY_SECONDS)

    async def _take(self, events: Sequence[CloudEvent]) -> None:
        """Apply what is new, and never past a hole: what is missing is read from the feed first."""
        while fresh := [event for event in events if event.position > self._checkpoint]:
            ready = _up_to_a_hole(fresh, self._checkpoint)
            if ready:
                await self._apply(ready, up_to=ready[-1].position)
                continue
            log.info("hole_on_bus", projection=self._projection.name, checkpoint=self._checkpoint)
            before = self._checkpoint
            await self._catch_up()
            if self._checkpoint == before:
                await asyncio.sleep(RETRY_SECONDS)

    async def _catch_up(self) -> None:
        """Read the feed until there is nothing more. When it cannot be read, the bus goes on meanwhile."""
        while True:
            try:
                page = await self._feed.read(self._checkpoint, self._batch, self._partition, self._partitions)
            except (httpx.HTTPError, ValidationError) as error:
                log.warning("feed_away", projection=self._projection.name, error=type(error).__name__)
                return
            if page.up_to <= self._checkpoint:
                return
            await self._apply(page.events, up_to=page.up_to)

    async def _reload(self) -> None:
        async with self._engine.begin() as connection:
            self._checkpoint = await load_checkpoint(connection, self._projection.name, self._partition)

    async def _apply(self, events: Sequence[CloudEvent], up_to: int) -> None:
        try:
            await self._apply_together(events, up_to)
        except Exception as error:
            if is_passing(error) or isinstance(error, LostRace):
                raise
            log.warning("batch_refused", projection=self._projection.name, error=type(error).__name__)
            await self._apply_one_by_one(events, up_to)
        self._checkpoint = up_to
        APPLIED.labels(self._projection.name).inc(len(events))
        AT.labels(self._projection.name, str(self._partition)).set(up_to)

    async def _apply_together(self, events: Sequence[CloudEvent], up_to: int) -> None:
        async with self._engine.begin() as connection:
            await self._move(connection, up_to)
            waiting = await parked_subjects(connection, self._projection.name, {e.subject for e in events})
            for event in events:
                if event.subject in waiting:
                    await park(connection, self._projection.name, event, FOLLOWS, event.position)
            ready = [event for event in events if event.subject not in waiting]
            if ready:
                with tracing(_trace_of(ready[-1])):
                    await self._projection.apply(connection, ready)

    async def _apply_one_by_one(self, events: Sequence[CloudEvent], up_to: int) -> None:
        async with self._engine.begin() as connection:
            await self._move(connection, up_to)
            for event in events:
                if await parked_subjects(connection, self._projection.name, {event.subject}):
                    await park(connection, self._projection.name, event, FOLLOWS, event.position)
                    continue
                try:
                    async with connection.begin_nested():
                        with tracing(_trace_of(event)):
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

    async def _move(self, connection: AsyncConnection, up_to: int) -> None:
        await move_checkpoint(
            connection, self._projection.name, self._partition, old=self._checkpoint, new=up_to
        )


def _trace_of(event: CloudEvent) -> Trace:
    return new_trace(event.traceparent, event.correlationid, event.id)


def _up_to_a_hole(events: Sequence[CloudEvent], checkpoint: int) -> Sequence[CloudEvent]:
    """Those events, from the first on, between which nothing is missing."""
    for place, event in enumerate(events):
        if event.previous is not None and int(event.previous) > checkpoint:
            return events[:place]
        checkpoint = event.position
    return events

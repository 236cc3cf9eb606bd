"""Gives committed events their positions and publishes them: one active relay per service.

The event store is the outbox, and the position is the entry's ID, so publishing twice does nothing. Where
to go on, the bus itself says: what it has lost is published again, as far back as it reaches; for what lies
further back, readers use the feed.
"""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Generic, TypeVar

import structlog
from prometheus_client import Counter, Gauge
from redis.asyncio import Redis
from redis.exceptions import RedisError

from shared.bus.publication import Publication, bus_stream, partition_of
from shared.bus.stream import BusStream
from shared.database.bell import Bell
from shared.database.errors import AWAY
from shared.database.exclusive import exclusive
from shared.event_store import EventStore, Recorded
from shared.event_store.numbering import Numberer

log = structlog.get_logger(__name__)
Event = TypeVar("Event")

PUBLISHED = Counter("checkdata_relay_events_total", "Events published", ["publisher"])
HEAD = Gauge("checkdata_relay_position", "Position up to which events are published", ["publisher"])

RETRY_SECONDS = 1.0
BUS_AWAY = (RedisError, OSError)


@dataclass(frozen=True, slots=True)
class RelaySettings:
    """max_length, max_age: what each bus stream keeps, about; looked after every `trim_seconds`."""

    partitions: int
    batch: int
    poll_seconds: float
    max_length: int
    max_age: timedelta = timedelta(days=7)
    trim_seconds: float = 10.0


@dataclass(slots=True)
class Partition:
    """last: where its stream ends; None while nobody has looked.

    previous: a position after which its next event is the next one: `last`, unless that is long ago.
    """

    stream: BusStream
    last: int | None = None
    previous: int = 0


class Relay(Generic[Event]):
    """`run` it in a task of each process; only one of them is active at a time."""

    def __init__(
        self,
        store: EventStore[Event],
        publication: Publication[Event],
        redis: Redis,
        bell: Bell,
        settings: RelaySettings,
    ) -> None:
        self._store = store
        self._publication = publication
        self._bell = bell
        self._settings = settings
        self._numbered = asyncio.Event()
        streams = [BusStream(redis, bus_stream(publication.name, p)) for p in range(settings.partitions)]
        self._partitions = [Partition(stream) for stream in streams]
        self._scanned = 0

    async def run(self) -> None:
        """Never returns. Stands by while another process is active; outlives the loss of both servers."""
        while True:
            try:
                async with exclusive(self._store.engine, f"relay:{self._publication.name}") as lease:
                    await lease.hold(self._keep_numbering, self._keep_publishing, self._keep_trimming)
            except AWAY as error:
                log.warning("relay_interrupted", publisher=self._publication.name, error=type(error).__name__)
            await asyncio.sleep(RETRY_SECONDS)

    async def _keep_numbering(self) -> None:
        numberer = Numberer(self._settings.batch)
        while True:
            async with self._store.engine.begin() as connection:
                count = await numberer.number(connection)
            if count:
                self._numbered.set()
            if count < self._settings.batch:
                await self._bell.wait(self._settings.poll_seconds)

    async def _keep_publishing(self) -> None:
        while True:
            try:
                await self._find_place()
                while await self._publish_batch():
                    pass
            except BUS_AWAY as error:
                await self._wait_for_bus(error)
            else:
                await self._wait_for_numbers()

    async def _keep_trimming(self) -> None:
        while True:
            try:
                floor = await self._floor()
                for partition in self._partitions:
                    await partition.stream.trim(self._settings.max_length, floor)
            except BUS_AWAY as error:
                await self._wait_for_bus(error)
            else:
                await asyncio.sleep(self._settings.trim_seconds)

    async def _wait_for_bus(self, error: Exception) -> None:
        log.warning("bus_away", publisher=self._publication.name, error=type(error).__name__)
        await asyncio.sleep(RETRY_SECONDS)

    async def _wait_for_numbers(self) -> None:
        try:
            async with asyncio.timeout(self._settings.poll_seconds):
                await self._numbered.wait()
        except TimeoutError:
            return
        finally:
            self._numbered.clear()

    async def _find_place(self) -> None:
        """Go on where the bus ends. It says so itself: who keeps count elsewhere would not notice a loss."""
        found = [await partition.stream.last() for partition in self._partitions]
        if found == [partition.last for partition in self._partitions]:
            return
        head, floor = await self._store.last_position(), await self._floor()
        for partition, last in zip(self._partitions, found, strict=True):
            partition.last = last if last <= head else await self._begin_anew(partition)
            partition.previous = max(partition.last, floor)
        self._scanned = min(partition.previous for partition in self._partitions)
        HEAD.labels(self._publication.name).set(self._scanned)
        log.info("relay_found_place", publisher=self._publication.name, position=self._scanned)

    async def _begin_anew(self, partition: Partition) -> int:
        """Somebody else wrote there, or the log was restored: nothing of ours would ever go behind it."""
        log.warning("bus_ahead_of_log", publisher=self._publication.name, stream=partition.stream.key)
        await partition.stream.forget_all()
        return 0

    async def _floor(self) -> int:
        """The position up to which nothing need be on the bus: too far back, or too old."""
        too_far_back = await self._store.last_position() - self._settings.max_length
        return max(too_far_back, await self._store.position_before(self._settings.max_age))

    async def _publish_batch(self) -> bool:
        """Publish the next batch. Returns whether to go on: there may be more, and the bus is as known."""
        recorded = await self._store.read_all(self._scanned, self._settings.batch)
        by_partition: dict[int, list[Recorded[Event]]] = defaultdict(list)
        for one in recorded:
            by_partition[partition_of(one.stream, self._settings.partitions)].append(one)
        for number, ones in by_partition.items():
            if not await self._publish(self._partitions[number], ones):
                return False
        if recorded:
            self._scanned = recorded[-1].position or self._scanned
            HEAD.labels(self._publication.name).set(self._scanned)
        return len(recorded) == self._settings.batch

    async def _publish(self, partition: Partition, recorded: Sequence[Recorded[Event]]) -> bool:
        """Publish those that are not there yet. Returns False when its stream does not end as known."""
        entries, previous = [], partition.previous
        for one in recorded:
            position = one.position or 0
            if position > previous and (document := self._publication.document(one, previous)):
                entries.append((position, document))
                previous = position
        if not entries:
            return True
        last = partition.last or 0
        if await partition.stream.add(last, entries) != last:
            return False
        partition.last = partition.previous = previous
        PUBLISHED.labels(self._publication.name).inc(len(entries))
        return True

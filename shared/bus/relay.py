"""Gives committed events their positions and publishes them: one active relay per service.

The event store is the outbox, and the position is the entry's ID, so publishing twice does nothing. Where
to go on, the bus itself says: what it has lost is published again, as far back as it reaches; for what lies
further back, readers use the feed.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from math import inf
from typing import Generic, TypeVar

import structlog
from prometheus_client import Counter, Gauge

from shared.bus.client import BUS_AWAY, Client
from shared.bus.publication import Publication, bus_stream, partition_of
from shared.bus.stream import BusStream
from shared.database.bell import Bell
from shared.database.errors import AWAY
from shared.database.exclusive import Lease, exclusive
from shared.event_store import EventStore, Recorded
from shared.event_store.numbering import Numberer

log = structlog.get_logger(__name__)
Event = TypeVar("Event")

PUBLISHED = Counter("checkdata_relay_events_total", "Events published", ["publisher"])
HEAD = Gauge("checkdata_relay_position", "Position up to which events are published", ["publisher"])
PARTITIONS_AWAY = Gauge(
    "checkdata_relay_partitions_away",
    "Streams whose server does not answer: readers use the feed",
    ["publisher"],
)

RETRY_SECONDS = 1.0
ROUND_SECONDS = 0.05
"""What is appended within it shares a round of numbering and publishing. After a silence there is no wait."""


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
    """last: where its stream ends; None while nobody has looked, it ends elsewhere, or its server is away.

    previous: a position after which its next event is the next one: `last`, unless that is long ago.
    """

    stream: BusStream
    last: int | None = None
    previous: int = 0
    away: bool = False

    @property
    def is_back(self) -> bool:
        """Its server answers again, and nobody has looked yet where its stream ends."""
        return self.last is None and not self.away


class Relay(Generic[Event]):
    """`run` it in a task of each process; only one of them is active at a time."""

    def __init__(
        self,
        store: EventStore[Event],
        publication: Publication[Event],
        redis: Client,
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
        self._looked = -inf

    async def run(self) -> None:
        """Never returns. Stands by while another process is active; outlives the loss of both servers."""
        while True:
            try:
                async with exclusive(self._store.engine, f"relay:{self._publication.name}") as lease:
                    await self._work_by(lease)
            except AWAY as error:
                log.warning("relay_interrupted", publisher=self._publication.name, error=type(error).__name__)
            await asyncio.sleep(RETRY_SECONDS)

    async def _work_by(self, lease: Lease) -> None:
        try:
            await lease.hold(
                *(self._keep_numbering, self._keep_publishing),
                *(self._keep_trimming, self._keep_asking_for_those_away),
            )
        finally:  # whoever is next to hold the lock looks for itself
            for partition in self._partitions:
                partition.last = None
                self._note(partition, away=False)

    async def _keep_numbering(self) -> None:
        numberer = Numberer(self._settings.batch)
        while True:
            async with self._store.engine.begin() as connection:
                count = await numberer.number(connection)
            if count:
                self._numbered.set()
            if count < self._settings.batch:
                await asyncio.sleep(ROUND_SECONDS)
                await self._bell.wait(self._settings.poll_seconds)

    async def _keep_publishing(self) -> None:
        while True:
            if self._must_look():
                await self._find_place()
            while await self._publish_batch():
                pass
            await self._wait_for_numbers()

    async def _keep_trimming(self) -> None:
        while True:
            floor = await self._floor()
            for partition in self._partitions:
                with self._noticing_who_is_away(partition):
                    if not partition.away:
                        await partition.stream.trim(self._settings.max_length, floor)
            await asyncio.sleep(self._settings.trim_seconds)

    async def _keep_asking_for_those_away(self) -> None:
        """Beside the publishing: who waits for the answer of a lost server holds up no other."""
        while True:
            await asyncio.sleep(RETRY_SECONDS)
            await asyncio.gather(*(self._ask_for(one) for one in self._partitions if one.away))

    async def _ask_for(self, partition: Partition) -> None:
        try:
            await partition.stream.last()
        except BUS_AWAY:
            return
        self._note(partition, away=False)
        self._numbered.set()

    @contextmanager
    def _noticing_who_is_away(self, partition: Partition) -> Iterator[None]:
        """Servers of a cluster go one by one: what is on the others goes on."""
        try:
            yield
        except BUS_AWAY as error:
            log.warning(
                "bus_away",
                publisher=self._publication.name,
                stream=partition.stream.key,
                error=type(error).__name__,
            )
            partition.last = None
            self._note(partition, away=True)

    def _note(self, partition: Partition, away: bool) -> None:
        partition.away = away
        PARTITIONS_AWAY.labels(self._publication.name).set(sum(one.away for one in self._partitions))

    async def _wait_for_numbers(self) -> None:
        try:
            async with asyncio.timeout(self._settings.poll_seconds):
                await self._numbered.wait()
        except TimeoutError:
            return
        finally:
            self._numbered.clear()

    def _must_look(self) -> bool:
        """A stream to which something is added says where it ends. The others are asked now and then."""
        unknown = any(partition.is_back for partition in self._partitions)
        return unknown or time.monotonic() - self._looked >= self._settings.poll_seconds

    async def _find_place(self) -> None:
        """Go on where the bus ends. It says so itself: who keeps count elsewhere would not notice a loss."""
        self._looked = time.monotonic()
        found = [await self._end_of(partition) for partition in self._partitions]
        if found == [partition.last for partition in self._partitions]:
            return
        head, floor = await self._store.last_position(), await self._floor()
        for partition, last in zip(self._partitions, found, strict=True):
            if last is not None:
                with self._noticing_who_is_away(partition):
                    partition.last = last if last <= head else await self._begin_anew(partition)
                    partition.previous = max(partition.last, floor)
        if there := [partition.previous for partition in self._partitions if partition.last is not None]:
            self._scanned = min(there)
            HEAD.labels(self._publication.name).set(self._scanned)
            log.info("relay_found_place", publisher=self._publication.name, position=self._scanned)

    async def _end_of(self, partition: Partition) -> int | None:
        """None while its server is away."""
        if not partition.away:
            with self._noticing_who_is_away(partition):
                return await partition.stream.last()
        return None

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
        if all(partition.away for partition in self._partitions):
            return False
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
        return len(recorded) == self._settings.batch and not any(one.is_back for one in self._partitions)

    async def _publish(self, partition: Partition, recorded: Sequence[Recorded[Event]]) -> bool:
        """Publish those that are not there yet. Returns False when its stream does not end as known."""
        if partition.last is None:
            return True  # what it misses follows when it is back: _find_place
        entries, previous = [], partition.previous
        for one in recorded:
            position = one.position or 0
            if position > previous and (document := self._publication.document(one, previous)):
                entries.append((position, document))
                previous = position
        if not entries:
            return True
        with self._noticing_who_is_away(partition):
            if await partition.stream.add(partition.last, entries) != partition.last:
                partition.last = None
                self._numbered.set()  # look at once where it ends
                return False
            partition.last = partition.previous = previous
            PUBLISHED.labels(self._publication.name).inc(len(entries))
        return True

"""Gives committed events their positions and publishes them: one active relay per service.

The event store is the outbox. Redis itself refuses an entry whose ID is not higher than the last one, and
the ID is the position, so publishing twice does nothing. What Redis has lost is published again, as far
back as the bus reaches; for what lies further back, readers use the feed.
"""

import asyncio
from dataclasses import dataclass
from typing import Generic, TypeVar

import structlog
from prometheus_client import Counter, Gauge
from redis.asyncio import Redis
from redis.exceptions import RedisError, ResponseError

from shared.bus.publication import Publication, bus_stream, partition_of
from shared.contracts.envelope import CloudEvent
from shared.database.bell import Bell
from shared.database.errors import AWAY
from shared.database.exclusive import exclusive
from shared.event_store import EventStore
from shared.event_store.numbering import number_committed

log = structlog.get_logger(__name__)
Event = TypeVar("Event")

PUBLISHED = Counter("checkdata_relay_events_total", "Events published", ["publisher"])
HEAD = Gauge("checkdata_relay_position", "Position up to which events are published", ["publisher"])

RETRY_SECONDS = 1.0
DATA_FIELD = "__data__"
"""Where FastStream looks for the body of an entry."""


@dataclass(frozen=True, slots=True)
class RelaySettings:
    partitions: int
    batch: int
    poll_seconds: float
    max_length: int
    """Entries that each bus stream keeps, about."""


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
        self._redis = redis
        self._bell = bell
        self._settings = settings
        self._numbered = asyncio.Event()
        self._streams = [bus_stream(publication.name, p) for p in range(settings.partitions)]
        self._published: list[int] | None = None
        self._previous: list[int] = []
        self._scanned = 0

    async def run(self) -> None:
        """Never returns. Stands by while another process is active; outlives the loss of both servers."""
        while True:
            try:
                async with exclusive(self._store.engine, f"relay:{self._publication.name}") as lease:
                    self._published = None
                    await lease.hold(self._keep_numbering, self._keep_publishing)
            except AWAY as error:
                log.warning("relay_interrupted", publisher=self._publication.name, error=type(error).__name__)
            await asyncio.sleep(RETRY_SECONDS)

    async def _keep_numbering(self) -> None:
        while True:
            async with self._store.engine.begin() as connection:
                count = await number_committed(connection, self._settings.batch)
            if count:
                self._numbered.set()
            if count < self._settings.batch:
                await self._bell.wait(self._settings.poll_seconds)

    async def _keep_publishing(self) -> None:
        while True:
            try:
                more = await self._publish_batch()
            except (RedisError, OSError) as error:
                log.warning("bus_away", publisher=self._publication.name, error=type(error).__name__)
                await asyncio.sleep(RETRY_SECONDS)
                continue
            if not more:
                await self._wait_for_numbers()

    async def _wait_for_numbers(self) -> None:
        try:
            async with asyncio.timeout(self._settings.poll_seconds):
                await self._numbered.wait()
        except TimeoutError:
            return
        finally:
            self._numbered.clear()

    async def _publish_batch(self) -> bool:
        """Publish the next batch. Returns whether there may be more."""
        await self._find_place()
        recorded = await self._store.read_all(self._scanned, self._settings.batch)
        batch: list[tuple[int, CloudEvent]] = []
        published = list(self._published or [])
        for one in recorded:
            partition = partition_of(one.stream, self._settings.partitions)
            position = one.position or 0
            if position <= published[partition]:
                continue
            envelope = self._publication.envelope(one, self._previous[partition])
            if envelope is not None:
                batch.append((partition, envelope))
                published[partition] = self._previous[partition] = position
        if batch:
            await self._add(batch)
            self._published = published
            PUBLISHED.labels(self._publication.name).inc(len(batch))
        if recorded:
            self._scanned = recorded[-1].position or self._scanned
            HEAD.labels(self._publication.name).set(self._scanned)
        return len(recorded) == self._settings.batch

    async def _find_place(self) -> None:
        """Go on where the bus ends. It says so itself: who keeps count elsewhere would not notice a loss."""
        last_ids = [await self._last_id(stream) for stream in self._streams]
        if last_ids == self._published:
            return
        floor = max(0, await self._store.last_position() - self._settings.max_length)
        self._published = last_ids
        self._previous = [last or floor for last in last_ids]
        self._scanned = min(self._previous)
        log.info("relay_found_place", publisher=self._publication.name, position=self._scanned)

    async def _last_id(self, stream: str) -> int:
        """The highest ID that the stream ever had, also when its entries are trimmed away; 0 for none."""
        try:
            info = await self._redis.xinfo_stream(stream)
        except ResponseError as error:
            if "no such key" in str(error).lower():
                return 0
            raise
        last: bytes | str = info["last-generated-id"]
        return int(str(last, "ascii").split("-")[0] if isinstance(last, bytes) else last.split("-")[0])

    async def _add(self, batch: list[tuple[int, CloudEvent]]) -> None:
        pipeline = self._redis.pipeline(transaction=False)
        for partition, envelope in batch:
            pipeline.xadd(
                self._streams[partition],
                {DATA_FIELD: envelope.model_dump_json(exclude_none=True)},
                id=f"{envelope.sequence}-0",
                maxlen=self._settings.max_length,
                approximate=True,
            )
        for answer in await pipeline.execute(raise_on_error=False):
            if isinstance(answer, ResponseError) and "equal or smaller" in str(answer):
                continue  # it is there already: the relay before us got that far
            if isinstance(answer, Exception):
                raise answer

"""Applies a publisher's events to this service's rows: in order, each once, whatever dies meanwhile.

The bus brings events quickly and may lose them; the checkpoint, which moves in the transaction that writes
the rows, says what is applied; each event names the one before it. So a hole is noticed, and filled from
the publisher's feed.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

import httpx
import structlog
from faststream.redis import RedisBroker, StreamSub
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.bus.applying import Applier, Projection
from shared.bus.checkpoints import LostRace
from shared.bus.client import BUS_AWAY
from shared.bus.feed import Feed
from shared.bus.publication import bus_stream
from shared.bus.stream import batch_as_it_is
from shared.clock import system_clock
from shared.contracts.envelope import CLOUD_EVENTS, CloudEvent, from_json
from shared.database.errors import AWAY
from shared.database.exclusive import exclusive
from shared.tasks import stop_tasks

log = structlog.get_logger(__name__)

RETRY_SECONDS = 1.0
IDLE_SECONDS = 3.0
"""Without news for so long, the feed is asked whether there are any: it may be the bus that is silent."""


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
        self._applier = Applier(projection, engine.begin, partition)
        self._turn = asyncio.Lock()
        self._news = asyncio.Event()
        self._astray = False

    async def run(self) -> None:
        """Never returns."""
        name = f"projection:{self._projection.name}:{self._partition}"
        while True:
            try:
                async with exclusive(self._engine, name) as lease:
                    await self._applier.reload()
                    await lease.hold(self._follow)
            except (*AWAY, *BUS_AWAY, LostRace) as error:
                log.warning(
                    "projection_interrupted", projection=self._projection.name, error=type(error).__name__
                )
            await asyncio.sleep(RETRY_SECONDS)

    async def _follow(self) -> None:
        """Read the bus, and the feed whenever the bus is silent.

        When the feed has news then, or somebody else's entry was read, the place on the bus may be lost: it
        is read anew from the checkpoint.
        """
        while True:
            await self._follow_until_it_is_behind()

    async def _follow_until_it_is_behind(self) -> None:
        subscriber = self._broker.subscriber(
            stream=StreamSub(
                bus_stream(self._projection.publisher, self._partition),
                batch=True,
                max_records=self._batch,
                last_id=f"{self._applier.checkpoint}-0",
            ),
            parser=batch_as_it_is,
            persistent=False,
        )
        subscriber(self._from_bus)
        self._astray = False
        started = asyncio.create_task(self._start(subscriber))
        try:
            async with self._turn:
                await self._catch_up()
            while True:
                await self._wait_for_silence()
                async with self._turn:
                    if await self._catch_up() or self._astray:
                        return
        finally:
            try:
                await stop_tasks([started])
            finally:
                reading = [*subscriber.tasks]
                await subscriber.stop()
                await stop_tasks(reading)  # FastStream cancels once, and does not wait

    async def _start(self, subscriber: Any) -> None:
        while True:
            try:
                await self._broker.connect()
                await subscriber.start()
                return
            except BUS_AWAY as error:
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
        events = _read(body)
        self._astray = self._astray or events is None
        async with self._turn:
            while True:
                try:
                    await (self._catch_up() if events is None else self._take(events))
                    return
                except LostRace:
                    # Another process was active, or a commit of ours succeeded without our hearing of it.
                    await self._applier.reload()
                except AWAY as error:
                    log.warning("apply_delayed", projection=self._projection.name, error=type(error).__name__)
                    await asyncio.sleep(RETRY_SECONDS)

    async def _take(self, events: Sequence[CloudEvent]) -> None:
        """Apply what is new, and never past a hole: what is missing is read from the feed first."""
        while fresh := [event for event in events if event.position > self._applier.checkpoint]:
            ready = _up_to_a_hole(fresh, self._applier.checkpoint)
            if ready:
                await self._applier.apply(ready, up_to=ready[-1].position)
                continue
            log.info("hole_on_bus", projection=self._projection.name, checkpoint=self._applier.checkpoint)
            before = self._applier.checkpoint
            await self._catch_up()
            if self._applier.checkpoint == before:
                await asyncio.sleep(RETRY_SECONDS)

    async def _catch_up(self) -> bool:
        """Read the feed until there is nothing more. Returns whether there were events.

        When it cannot be read, the bus goes on meanwhile.
        """
        brought = False
        while True:
            asked_at = system_clock()
            try:
                page = await self._feed.read(
                    self._applier.checkpoint, self._batch, self._partition, self._partitions
                )
            except (httpx.HTTPError, ValueError) as error:
                log.warning("feed_away", projection=self._projection.name, error=type(error).__name__)
                return brought
            if page.up_to <= self._applier.checkpoint:
                self._applier.current(asked_at)
                return brought
            brought = brought or bool(page.events)
            await self._applier.apply(page.events, up_to=page.up_to)


def _read(body: bytes) -> Sequence[CloudEvent] | None:
    """None for what are no envelopes of ours: the feed says what the publisher really meant."""
    try:
        return from_json(CLOUD_EVENTS, body)
    except ValueError:
        return None


def _up_to_a_hole(events: Sequence[CloudEvent], checkpoint: int) -> Sequence[CloudEvent]:
    """Those events, from the first on, between which nothing is missing."""
    for place, event in enumerate(events):
        if event.previous is not None and int(event.previous) > checkpoint:
            return events[:place]
        checkpoint = event.position
    return events

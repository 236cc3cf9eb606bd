"""What every service with a database stands on, opened and closed in one place.

A composition root (`app.py`) opens it in its lifespan, and adds what the service follows and works on.
"""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from itertools import product
from typing import Any, Generic, TypeVar

import httpx
import structlog
from faststream.redis import RedisBroker
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from shared import tasks
from shared.backlog import BACKLOG_SECONDS, Backlog
from shared.bus.applying import Projection
from shared.bus.client import Client, open_broker, open_client
from shared.bus.feed import HttpFeed
from shared.bus.listening import listen
from shared.bus.projection import ProjectionRunner
from shared.bus.publication import Publication, bus_stream
from shared.bus.relay import Relay, RelaySettings
from shared.clock import Clock, system_clock
from shared.database.bell import Bell
from shared.database.engine import service_engine
from shared.database.errors import AWAY, is_passing
from shared.database.schema import RequiredSchema, SchemaTooOld
from shared.event_store import Codec, EventStore
from shared.retention import LOOK_SECONDS, forget_what_is_settled
from shared.settings import ServiceSettings
from shared.tasks import stop_tasks
from shared.web.service_client import OwnToken, ServiceTokens, asking_auth
from shared.web.withdrawals import KEPT, TOLD_BY, Withdrawals
from shared.work_queue import Handler, Worker

log = structlog.get_logger(__name__)
Event = TypeVar("Event")

EVENTS_BELL = "check_data_events"
WORK_BELL = "check_data_work"
HTTP_SECONDS = 5.0
DATABASE_SECONDS = 5.0
FINISH_SECONDS = 5.0
"""How long a process that is stopped waits for its jobs; then they are given back to others."""


@dataclass(frozen=True, slots=True)
class Backbone(Generic[Event]):
    service: str
    settings: ServiceSettings
    clock: Clock
    engine: AsyncEngine
    redis: Client
    broker: RedisBroker
    store: EventStore[Event]
    tokens: ServiceTokens
    events_bell: Bell
    work_bell: Bell
    schema: RequiredSchema
    _clients: AsyncExitStack
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)
    _workers: dict[asyncio.Task[None], Worker] = field(default_factory=dict)

    async def client(self, audience: str, seconds: float = HTTP_SECONDS) -> httpx.AsyncClient:
        """An HTTP client that signs its calls to one service with this service's own token."""
        return await self._clients.enter_async_context(
            httpx.AsyncClient(auth=OwnToken(self.tokens, audience), timeout=seconds)
        )

    def publish(self, publication: Publication[Event]) -> None:
        """Number and publish the service's events."""
        settings = RelaySettings(
            partitions=self.settings.bus_partitions,
            batch=self.settings.relay_batch,
            poll_seconds=self.settings.relay_poll_seconds,
            max_length=self.settings.bus_max_length,
            max_age=timedelta(days=self.settings.bus_max_age_days),
        )
        relay = Relay(self.store, publication, self.redis, self.events_bell, settings)
        self.keep_running("relay", relay.run)

    async def follow(self, projection: Projection) -> None:
        """Apply a publisher's events, every partition of them."""
        url = self.settings.feed_urls[projection.publisher]
        feed = HttpFeed(url, await self.client(projection.publisher))
        for partition in range(self.settings.bus_partitions):
            runner = ProjectionRunner(
                projection,
                self.engine,
                self.broker,
                feed,
                partition=partition,
                partitions=self.settings.bus_partitions,
                batch=self.settings.projection_batch,
            )
            self.keep_running(f"projection {projection.name} {partition}", runner.run)

    def heed(self, withdrawals: Withdrawals) -> None:
        """Hear of access and sessions that end, so that tokens given out for them are refused at once."""
        for publisher, partition in product(TOLD_BY, range(self.settings.bus_partitions)):
            key = bus_stream(publisher, partition)
            self.keep_running(
                f"withdrawals {publisher} {partition}",
                partial(listen, self.redis, key, KEPT, withdrawals.hear),
            )

    def work(self, handlers: Mapping[str, Handler], concurrency: int = 4) -> None:
        """Do the jobs of these kinds."""
        worker = Worker(self.engine, self.work_bell, handlers, concurrency)
        self._workers[self.keep_running("worker", worker.run)] = worker

    def keep_running(self, name: str, run: Callable[[], Coroutine[Any, Any, None]]) -> asyncio.Task[None]:
        """Run in the background. What it does not handle itself is a bug: it ends the process."""
        task = asyncio.create_task(run(), name=name)
        task.add_done_callback(_end_process_on_bug)
        self._tasks.append(task)
        return task

    def repeat(self, name: str, seconds: float, action: Callable[[], Awaitable[None]]) -> None:
        """Do something now, and again every so many seconds; a server that is away is waited for."""

        async def run() -> None:
            while True:
                try:
                    await action()
                except Exception as error:
                    if not is_passing(error):
                        raise
                    log.warning("repeated_task_delayed", task=name, error=type(error).__name__)
                await asyncio.sleep(seconds)

        self.keep_running(name, run)

    async def forget_what_is_settled(self) -> None:
        await forget_what_is_settled(self.engine, timedelta(days=self.settings.retention_days))

    async def check_database(self) -> None:
        """For /health/ready: it answers, and has been migrated.

        The bus is not asked: without it, everything is late and nothing is lost.
        """
        async with self.engine.connect() as connection:
            await connection.execute(text("SELECT 1"))
            await self.schema.check(connection)

    async def refuse_old_schema(self) -> None:
        """Raises SchemaTooOld. A server that is away is no reason not to start: readiness asks again."""
        try:
            async with asyncio.timeout(DATABASE_SECONDS):
                await self.check_database()
        except SchemaTooOld as error:
            log.critical("schema_too_old", lacks=str(error), to_do=f"check-data migrate {self.service}")
            raise
        except AWAY as error:
            log.warning("schema_not_seen", error=type(error).__name__)

    async def stop(self) -> None:
        """Let jobs under way end, FINISH_SECONDS at most; then stop everything that runs."""
        for task in self._tasks:
            task.remove_done_callback(_end_process_on_bug)
        for worker in self._workers.values():
            worker.finish()
        if self._workers:
            await asyncio.wait(self._workers, timeout=FINISH_SECONDS)
        await stop_tasks(self._tasks)


def _end_process_on_bug(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()):
        log.critical("background_task_failed", task=task.get_name(), exc_info=error)
        tasks.failed = True
        os.kill(os.getpid(), signal.SIGTERM)


@asynccontextmanager
async def open_backbone(
    service: str, settings: ServiceSettings, codec: Codec[Event], clock: Clock = system_clock
) -> AsyncIterator[Backbone[Event]]:
    """Open engine, bus and clients, in that order; close them in the reverse one."""
    async with AsyncExitStack() as stack:
        engine = service_engine(settings)
        stack.push_async_callback(engine.dispose)
        url = settings.redis_url.get_secret_value()
        redis = open_client(url)
        stack.push_async_callback(redis.aclose)
        broker = open_broker(url)
        stack.push_async_callback(broker.stop)
        http = await stack.enter_async_context(httpx.AsyncClient(timeout=HTTP_SECONDS))
        events_bell, work_bell = Bell(engine, EVENTS_BELL), Bell(engine, WORK_BELL)
        store = EventStore(engine, codec, clock, events_bell.ring, work_bell.ring)
        stack.push_async_callback(store.close)
        backbone = Backbone(
            service=service,
            settings=settings,
            clock=clock,
            engine=engine,
            redis=redis,
            broker=broker,
            store=store,
            tokens=ServiceTokens(
                asking_auth(service, settings.service_secret.get_secret_value(), settings.auth_url, http)
            ),
            events_bell=events_bell,
            work_bell=work_bell,
            schema=RequiredSchema(service),
            _clients=stack,
        )
        await backbone.refuse_old_schema()
        stack.push_async_callback(backbone.stop)
        backbone.keep_running("events bell", events_bell.run)
        backbone.keep_running("work bell", work_bell.run)
        backbone.repeat("backlog", BACKLOG_SECONDS, Backlog(engine, service).measure)
        backbone.repeat("retention", LOOK_SECONDS, backbone.forget_what_is_settled)
        log.info("service_started", service=service)
        yield backbone
        log.info("service_stopping", service=service)

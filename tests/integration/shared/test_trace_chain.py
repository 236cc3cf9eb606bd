"""One request can be followed: HTTP → store → bus → consumer → job → email and log."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import httpx
import structlog
from fastapi import APIRouter, FastAPI
from redis.asyncio import Redis
from sqlalchemy import Table
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from structlog.testing import capture_logs

from shared.bus.client import open_broker
from shared.bus.projection import ProjectionRunner
from shared.bus.trace import trace_of
from shared.contracts.envelope import CloudEvent
from shared.database.bell import Bell
from shared.email import Email
from shared.logging import add_trace
from shared.tracing import Trace, current_trace, tracing
from shared.web.app import create_app
from shared.work_queue import Job, Worker, enqueue
from tests.integration.shared.test_bus import Bus, Counted, eventually, running

KIND = "traced-email"


class Reader:
    """Has an email sent about each event."""

    name = "reader"
    publisher = "test"
    tables: Sequence[Table] = ()

    def __init__(self) -> None:
        self.events: list[CloudEvent] = []
        self.batches: list[int] = []

    async def apply(self, connection: AsyncConnection, events: Sequence[CloudEvent]) -> None:
        self.batches.append(len(events))
        for event in events:
            self.events.append(event)
            with tracing(trace_of(event)):
                await enqueue(connection, KIND, event.id, {})


class Post:
    """A mailer that keeps what it is given, with the trace in which it was."""

    def __init__(self) -> None:
        self.sent: list[tuple[Email, Trace]] = []

    async def send(self, email: Email) -> None:
        self.sent.append((email, current_trace()))


def application(bus: Bus) -> FastAPI:
    router = APIRouter()

    @router.post("/counts/{number}")
    async def count(number: int) -> None:
        await bus.append(Counted(f"subject-{number}", number))

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield

    return create_app("traced", routers=[router], lifespan=lifespan, ready={}, verifier=None)


async def test_a_request_is_followed_to_the_email_and_to_its_line_in_the_log(
    engine: AsyncEngine, redis: Redis, redis_url: str
) -> None:
    bus = Bus(engine, redis, open_broker(redis_url), partitions=1)
    reader, post = Reader(), Post()
    outside = {n: f"00-{n:032x}-00f067aa0ba902b7-01" for n in (1, 2)}
    transport = httpx.ASGITransport(application(bus))
    async with httpx.AsyncClient(transport=transport, base_url="http://traced") as http:
        for n, traceparent in outside.items():
            headers = {"traceparent": traceparent, "x-correlation-id": f"{n:032x}"}
            answer = await http.post(f"/counts/{n}", headers=headers)
            assert answer.headers["x-correlation-id"] == f"{n:032x}"

    async def send(job: Job) -> None:
        await post.send(Email("zoe@example.org", "Hello", "Hello", job.key))

    async def two_are_sent() -> bool:
        return len(post.sent) == 2

    runner = ProjectionRunner(reader, engine, bus.broker, bus.feed, partition=0, partitions=1, batch=50)
    worker = Worker(engine, Bell(engine, "test_work"), {KIND: send})
    with capture_logs(processors=[add_trace]) as lines:
        async with bus.relaying():
            await eventually(lambda: numbered(bus, 2))
            async with running(runner.run), running(worker.run):
                await eventually(two_are_sent)
                await asyncio.sleep(0.3)
    await bus.broker.stop()

    stored = await bus.store.read_all()
    assert reader.batches == [2], "both came in one batch, and are told apart all the same"
    emails = {email.reference: trace for email, trace in post.sent}
    for n, event, told in zip(outside, stored, reader.events, strict=True):
        trace_id, correlation = f"{n:032x}", f"{n:032x}"
        assert trace_id in (event.metadata.traceparent or "")
        assert event.metadata.correlation_id == told.correlationid == correlation
        assert told.traceparent == event.metadata.traceparent
        trace = emails[told.id]
        assert (trace.trace_id, trace.correlation_id, trace.causation_id) == (trace_id, correlation, told.id)
        assert trace.traceparent not in (outside[n], told.traceparent), "each step is a span of its own"
        (line,) = [x for x in lines if x["event"] == "job_ended" and x["trace_id"] == trace_id]
        assert (line["correlation_id"], line["outcome"]) == (correlation, "done")


async def numbered(bus: Bus, count: int) -> bool:
    return await bus.store.last_position() == count


def test_a_line_outside_of_any_request_is_given_no_trace() -> None:
    with capture_logs(processors=[add_trace]) as lines:
        structlog.get_logger().info("service_started")
    assert "trace_id" not in lines[0]
    assert "correlation_id" not in lines[0]

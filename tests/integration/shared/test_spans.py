"""One request is one trace in OpenTelemetry: HTTP → store → bus → reader → job; nothing personal is in it."""

import asyncio
from collections.abc import Iterator, Sequence

import httpx
import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine

from shared import spans
from shared.bus.client import open_broker
from shared.bus.projection import ProjectionRunner
from shared.database.bell import Bell
from shared.otlp import Telling
from shared.tracing import new_trace
from shared.work_queue import Job, Worker
from tests.integration.shared.test_bus import Bus, eventually, running
from tests.integration.shared.test_trace_chain import KIND, Reader, application

OUTSIDE = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


@pytest.fixture
def exporter() -> Iterator[InMemorySpanExporter]:
    exporter = InMemorySpanExporter()
    spans.tell(Telling("traced", SimpleSpanProcessor(exporter)))
    yield exporter
    spans.tell(None)


async def walk(engine: AsyncEngine, redis: Redis, redis_url: str, *requests: str) -> None:
    """Requests that append, are published and read, and end with a job each."""
    bus = Bus(engine, redis, open_broker(redis_url), partitions=1)
    reader, done = Reader(), list[str]()

    async def do(job: Job) -> None:
        done.append(job.key)

    async def are_done() -> bool:
        return len(done) == len(requests)

    runner = ProjectionRunner(reader, engine, bus.broker, bus.feed, partition=0, partitions=1, batch=50)
    worker = Worker(engine, Bell(engine, "test_work"), {KIND: do})
    transport = httpx.ASGITransport(application(bus))
    async with httpx.AsyncClient(transport=transport, base_url="http://traced") as http:
        for number, traceparent in enumerate(requests):
            await http.post(f"/counts/{number}?q=zoe.zimmer", headers={"traceparent": traceparent})
    async with bus.relaying():
        await eventually(lambda: _numbered(bus, len(requests)))
        async with running(runner.run), running(worker.run):
            await eventually(are_done)
            await asyncio.sleep(0.2)
    await bus.broker.stop()


async def _numbered(bus: Bus, count: int) -> bool:
    return await bus.store.last_position() == count


def of_trace(exporter: InMemorySpanExporter, trace_id: str) -> Sequence[ReadableSpan]:
    found = [span for span in exporter.get_finished_spans() if span.context.trace_id == int(trace_id, 16)]
    return sorted(found, key=lambda span: span.start_time or 0)


async def test_a_request_is_one_trace_through_store_and_bus_to_consumer_and_job(
    exporter: InMemorySpanExporter, engine: AsyncEngine, redis: Redis, redis_url: str
) -> None:
    trace_id, span_id = OUTSIDE
    await walk(engine, redis, redis_url, f"00-{trace_id}-{span_id}-01")
    request, append, apply, job = of_trace(exporter, trace_id)
    assert [span.name for span in (request, append, apply, job)] == [
        "POST /counts/{number}",
        "append",
        "apply reader",
        f"do {KIND}",
    ]
    assert request.parent is not None
    assert request.parent.span_id == int(span_id, 16)
    for child, parent in ((append, request), (apply, append), (job, append)):
        assert child.parent is not None
        assert child.parent.span_id == parent.context.span_id
    for span in (request, append, apply, job):
        assert span.resource.attributes["service.name"] == "check-data-traced"
        assert (span.end_time or 0) > (span.start_time or 0) > 0
        assert "zimmer" not in span.to_json()
    assert (request.attributes or {})["http.response.status_code"] == 200


async def test_events_read_in_one_batch_are_linked_to_its_span(
    exporter: InMemorySpanExporter, engine: AsyncEngine, redis: Redis, redis_url: str
) -> None:
    first, second = (f"{number:032x}" for number in (7, 8))
    await walk(engine, redis, redis_url, *(f"00-{trace}-{OUTSIDE[1]}-01" for trace in (first, second)))
    (apply,) = [span for span in exporter.get_finished_spans() if span.name == "apply reader"]
    assert apply.context.trace_id == int(second, 16)
    assert [link.context.trace_id for link in apply.links] == [int(first, 16)]
    assert {span.name for span in of_trace(exporter, first)} == {
        "POST /counts/{number}",
        "append",
        f"do {KIND}",
    }


async def test_a_share_of_the_traces_is_told_whole(
    exporter: InMemorySpanExporter, engine: AsyncEngine, redis: Redis, redis_url: str
) -> None:
    spans.tell(Telling("traced", SimpleSpanProcessor(exporter), share=0.5))
    told, untold = (f"{'1' * 16}{low:016x}" for low in (2**62, 2**63))
    await walk(engine, redis, redis_url, *(f"00-{trace}-{OUTSIDE[1]}-01" for trace in (told, untold)))
    assert len(of_trace(exporter, told)) == 3
    assert of_trace(exporter, untold) == []


def test_a_span_that_fails_says_so_by_its_kind_of_error_only(exporter: InMemorySpanExporter) -> None:
    with pytest.raises(ValueError, match="zoe"), spans.span("work", spans.Kind.INTERNAL, new_trace(), None):
        raise ValueError("zoe@example.org is not reachable")
    (span,) = exporter.get_finished_spans()
    assert not span.status.is_ok
    assert (span.attributes or {})["error.type"] == "ValueError"
    assert "zoe" not in span.to_json()

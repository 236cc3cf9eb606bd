"""Spans → OpenTelemetry's SDK, which sends them to a collector by OTLP."""

from collections.abc import Callable

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags

from shared import spans
from shared.spans import Span
from shared.tracing import Trace

SCOPE = InstrumentationScope("check-data")
SAMPLED = TraceFlags(TraceFlags.SAMPLED)


class Telling:
    """share: of traces, from 0 to 1; all services with the same share tell of the same traces."""

    def __init__(self, service: str, processor: SpanProcessor, share: float = 1.0) -> None:
        self._resource = Resource.create({SERVICE_NAME: f"check-data-{service}"})
        self._processor = processor
        self._below = int(share * 2**64)

    def __call__(self, span: Span) -> None:
        if int(span.trace.trace_id[16:], 16) < self._below:
            self._processor.on_end(self._readable(span))

    def _readable(self, span: Span) -> ReadableSpan:
        attributes = {**span.attributes, "check_data.correlation_id": span.trace.correlation_id}
        return ReadableSpan(
            name=span.name,
            context=_context(span.trace, span.trace.span_id),
            parent=_context(span.trace, span.parent) if span.parent else None,
            resource=self._resource,
            attributes=attributes,
            links=[Link(_context(link, link.span_id)) for link in span.links],
            kind=SpanKind[span.kind.name],
            status=Status(StatusCode.ERROR if span.failed else StatusCode.UNSET),
            start_time=span.began,
            end_time=span.ended,
            instrumentation_scope=SCOPE,
        )


def _context(trace: Trace, span_id: str) -> SpanContext:
    return SpanContext(int(trace.trace_id, 16), int(span_id, 16), is_remote=False, trace_flags=SAMPLED)


def tell_collector(service: str, endpoint: str, share: float) -> Callable[[], None]:
    """Send spans to a collector from now on, in a thread of its own. Returns how to end it: all are sent.

    endpoint: the collector's OTLP address over HTTP, such as `http://collector:4318`.
    """
    exporter = OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces", timeout=5)
    processor = BatchSpanProcessor(exporter)
    spans.tell(Telling(service, processor, share))

    def end() -> None:
        spans.tell(None)
        processor.shutdown()  # type: ignore[no-untyped-call]

    return end

"""The trace that an event carries."""

from dataclasses import replace

from shared.contracts.envelope import CloudEvent
from shared.tracing import Trace, new_trace, span_of


def trace_of(event: CloudEvent) -> Trace:
    """What is done because of the event: the same trace and correlation, in the span of the event itself."""
    trace = new_trace(event.traceparent, event.correlationid, event.id)
    return replace(trace, span_id=span_of(event.traceparent) or trace.span_id)

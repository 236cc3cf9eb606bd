"""The trace that an event carries."""

from shared.contracts.envelope import CloudEvent
from shared.tracing import Trace, new_trace


def trace_of(event: CloudEvent) -> Trace:
    """What is done because of the event: the same trace and correlation, caused by it."""
    return new_trace(event.traceparent, event.correlationid, event.id)

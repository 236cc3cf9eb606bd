"""Which request or event the present work belongs to: W3C trace context and correlation.

Held in a context variable, so that the event store, the HTTP clients and the logs need not be told.
"""

import re
import secrets
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace

TRACEPARENT = re.compile(r"00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})")
CORRELATION = re.compile(r"[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
"""A UUID, or its digits without dashes. It is in every log line and event, and anybody can send one: in a
freer form they could write names there, or numbers of teachers."""


@dataclass(frozen=True, slots=True)
class Trace:
    """trace_id and span_id as in W3C trace context; causation_id: the event that led to this work."""

    trace_id: str
    span_id: str
    correlation_id: str
    causation_id: str | None = None

    @property
    def traceparent(self) -> str:
        return f"00-{self.trace_id}-{self.span_id}-01"

    def child(self) -> "Trace":
        return replace(self, span_id=secrets.token_hex(8))


def new_trace(
    traceparent: str | None = None, correlation_id: str | None = None, causation_id: str | None = None
) -> Trace:
    """Continue what came in; what is missing or malformed starts anew."""
    match = TRACEPARENT.fullmatch(traceparent) if traceparent else None
    trusted = correlation_id if correlation_id and CORRELATION.fullmatch(correlation_id) else None
    return Trace(
        trace_id=match[1] if match else secrets.token_hex(16),
        span_id=secrets.token_hex(8),
        correlation_id=trusted or str(uuid.uuid4()),
        causation_id=causation_id,
    )


def span_of(traceparent: str | None) -> str | None:
    """The span that a well-formed traceparent names."""
    match = TRACEPARENT.fullmatch(traceparent) if traceparent else None
    return match[2] if match else None


_current: ContextVar[Trace | None] = ContextVar("trace", default=None)


def trace_at_hand() -> Trace | None:
    return _current.get()


def current_trace() -> Trace:
    """The trace at hand, or else a new one, which is nobody's: the next caller gets another.

    To keep it would tie together all that a process ever does outside of requests, events and jobs.
    """
    return _current.get() or new_trace()


@contextmanager
def tracing(trace: Trace) -> Iterator[Trace]:
    """Everything inside belongs to this trace."""
    token = _current.set(trace)
    try:
        yield trace
    finally:
        _current.reset(token)


def outgoing_headers() -> dict[str, str]:
    """Headers for a call to another service: what it does belongs to the span at hand, if there is one."""
    trace = trace_at_hand()
    if trace is None:
        return {}
    return {"traceparent": trace.traceparent, "x-correlation-id": trace.correlation_id}

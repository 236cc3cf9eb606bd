"""Logs: one JSON document per line, facts in snake_case, IDs only.

Never give a name, an email address, a TRN, a token or a search text to a log call.
"""

import logging
import sys
from typing import Final

import structlog
from structlog.tracebacks import ExceptionDictTransformer

from shared.tracing import trace_at_hand


def add_trace(_logger: object, _name: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """What belongs to a request, an event or a job can be found by it; other lines have no trace."""
    if trace := trace_at_hand():
        event.setdefault("correlation_id", trace.correlation_id)
        event.setdefault("trace_id", trace.trace_id)
    return event


def _without_messages(
    _logger: object, _name: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    """What an error says may quote what it was about: an address, a row, a URL. Its type and place stay."""
    for told in event.get("exception") or ():
        if isinstance(told, dict):
            told.pop("exc_value", None)
            told.pop("exc_notes", None)
    return event


TOLD_OF_ERRORS: Final[tuple[structlog.typing.Processor, ...]] = (
    # Without local variables: they hold what must not be in a log.
    structlog.processors.ExceptionRenderer(ExceptionDictTransformer(show_locals=False)),
    _without_messages,
)


def configure_logging(service: str, level: str = "INFO") -> None:
    """Send structlog's and the standard library's logs to stderr as JSON lines."""
    shared_processors: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        add_trace,
        *TOLD_OF_ERRORS,
    ]
    structlog.configure(
        processors=[*shared_processors, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared_processors,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    structlog.contextvars.bind_contextvars(service=service)
    # Access lines of uvicorn and httpx carry URLs, and URLs carry search words: ours carry the route.
    # FastStream says at its end for which of its own tasks it waits.
    for name in ("uvicorn.access", "httpx", "httpcore", "faststream"):
        logging.getLogger(name).setLevel(logging.WARNING)

"""What happens around every request: its trace, its log line, its metrics."""

import time

import structlog
from prometheus_client import Counter, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.spans import Kind, Told, span
from shared.tracing import new_trace, span_of, tracing
from shared.web.health import HEALTH_PATHS

log = structlog.get_logger(__name__)

REQUESTS = Counter("checkdata_http_requests_total", "Requests answered", ["method", "route", "status"])
DURATION = Histogram("checkdata_http_request_seconds", "Time to the end of the answer", ["method", "route"])

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"})
OTHER = "_OTHER"
"""Any other word: callers make it up, and could make up a million, or a name. OpenTelemetry calls it so."""
FAILED = 500
FEED = "/events"


class Observe:
    """ASGI middleware. Logs the route's pattern, never the URL: a URL holds IDs, tokens and search words."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        traceparent = headers.get(b"traceparent")
        trace = new_trace(traceparent, headers.get(b"x-correlation-id"))
        status = 500
        started = time.perf_counter()

        async def send_noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [
                    *message["headers"],
                    (b"x-correlation-id", trace.correlation_id.encode()),
                ]
            await send(message)

        with tracing(trace), span("", Kind.SERVER, trace, span_of(traceparent)) as step:
            try:
                await self.app(scope, receive, send_noting)
            finally:
                seconds = time.perf_counter() - started
                route = getattr(scope.get("route"), "path", "(no route)")
                method = scope["method"] if scope["method"] in METHODS else OTHER
                REQUESTS.labels(method, route, str(status)).inc()
                DURATION.labels(method, route).observe(seconds)
                if route not in HEALTH_PATHS:
                    _describe(step, method, route, status)
                    log.info(
                        "request_answered",
                        method=method,
                        route=route,
                        status=status,
                        milliseconds=round(seconds * 1000, 1),
                    )


def _describe(step: Told, method: str, route: str, status: int) -> None:
    """In OpenTelemetry's words: https://opentelemetry.io/docs/specs/semconv/http/http-spans/"""
    if step.parent is None and route == FEED:
        return  # readers ask all the time whether there is anything new
    step.name = f"{method} {route}"
    step.attributes |= {
        "http.request.method": method,
        "http.route": route,
        "http.response.status_code": status,
    }
    step.failed = step.failed or status >= FAILED

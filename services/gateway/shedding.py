"""Requests beyond what the gateway can take are sent away at once, so that those it took are answered."""

from collections.abc import Callable
from functools import cache
from typing import Final

import structlog
from prometheus_client import Counter
from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = structlog.get_logger(__name__)

SHED: Final = Counter("checkdata_requests_shed_total", "Requests sent away because too many were under way")
ALWAYS_ANSWERED: Final = ("/health/", "/assets/")
"""Cheap, and asked for when it matters: is it alive, and what the page about the trouble looks like."""
RETRY_AFTER_SECONDS: Final = b"10"


class ShedLoad:
    """ASGI middleware. A request is under way until its answer begins: how fast it is read is the caller's.

    sorry: makes the page that is sent instead; once, since making pages is what there is no time for.
    """

    def __init__(self, app: ASGIApp, at_once: int, sorry: Callable[[], bytes]) -> None:
        self.app = app
        self._at_once = at_once
        self._sorry = cache(sorry)
        self._under_way = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(ALWAYS_ANSWERED):
            await self.app(scope, receive, send)
        elif self._under_way >= self._at_once:
            SHED.inc()
            log.warning("request_shed", under_way=self._under_way)
            await self._send_away(send)
        else:
            await self._answer(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        counted = True
        self._under_way += 1

        def no_longer() -> None:
            nonlocal counted
            self._under_way -= counted
            counted = False

        async def send_and_count(message: Message) -> None:
            no_longer()
            await send(message)

        try:
            await self.app(scope, receive, send_and_count)
        finally:
            no_longer()

    async def _send_away(self, send: Send) -> None:
        page = self._sorry()
        headers = [
            (b"content-type", b"text/html; charset=utf-8"),
            (b"content-length", str(len(page)).encode()),
            (b"retry-after", RETRY_AFTER_SECONDS),
        ]
        await send({"type": "http.response.start", "status": 503, "headers": headers})
        await send({"type": "http.response.body", "body": page})

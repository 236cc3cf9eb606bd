"""What stands before one service: no more calls than it can take, and none while it is known to be down.

After some failures in a row the circuit opens, and calls fail at once, not after their time limit.
After a pause one call tries (half-open): its outcome closes the circuit or opens it for another pause.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import structlog
from prometheus_client import Counter
from purgatory import AsyncCircuitBreakerFactory
from purgatory.domain.messages.base import Event
from purgatory.domain.messages.events import ContextChanged
from purgatory.domain.model import HALF_OPENED, OpenedState

log = structlog.get_logger(__name__)

CHANGES: Final = Counter(
    "checkdata_circuit_changes_total", "Circuits opened and closed", ["backend", "state"]
)
NOT_CALLED: Final = Counter(
    "checkdata_backend_calls_refused_total", "Calls that a circuit did not let through", ["backend", "why"]
)


WAIT_SECONDS: Final = 1.0
"""For one's turn, while as many calls as the service can take are under way. Many at the same moment are
served one after the other; before a service that hangs nobody waits for long."""


class NotCalled(Exception):
    """The service was not asked: the circuit is open, or too many calls are under way for too long."""


class Circuit:
    def __init__(self, name: str, *, failures: int, pause_seconds: float, calls_at_once: int) -> None:
        """failures: in a row, until it opens. pause_seconds: until one call may try again."""
        self._name = name
        self._places = asyncio.Semaphore(calls_at_once)
        self._breakers = AsyncCircuitBreakerFactory(default_threshold=failures, default_ttl=pause_seconds)
        self._breakers.add_listener(_tell)

    @asynccontextmanager
    async def call(self) -> AsyncIterator[None]:
        """Around a call. What is raised inside counts as a failure of the service. Raises NotCalled."""
        async with self._place():
            breaker = await self._breakers.get_breaker(self._name)
            if breaker.context.state == HALF_OPENED:
                raise self._not_called("open")  # somebody tries already: their outcome decides
            try:
                async with breaker:
                    yield
            except OpenedState as opened:
                # It is one object for the whole pause: without this its traceback would grow with each call.
                raise self._not_called("open") from opened.with_traceback(None)

    @asynccontextmanager
    async def _place(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                await self._places.acquire()
        except TimeoutError:
            raise self._not_called("busy") from None
        try:
            yield
        finally:
            self._places.release()

    def _not_called(self, why: str) -> NotCalled:
        NOT_CALLED.labels(self._name, why).inc()
        return NotCalled(why)


def _tell(name: str, _: str, event: Event) -> None:
    if isinstance(event, ContextChanged):
        CHANGES.labels(name, event.state).inc()
        log.warning("circuit_changed", backend=name, state=event.state)

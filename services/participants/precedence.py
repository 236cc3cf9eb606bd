"""People before files: long copies give way to whoever waits for an answer.

An answer is a dozen short steps in this process and in Postgres, and each of them would wait behind a piece
of a copy. So copies stop while somebody waits, and keep to a pace while people are about. Postgres stops
with them, since it waits for its reader. Each process does so for itself.
"""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from starlette.types import ASGIApp, Receive, Scope, Send

PATIENCE_SECONDS = 0.05
"""After which a copy reads its next piece though somebody waits: on a busy day, too, files get done."""
ABOUT_SECONDS = 0.5
"""After an answer the next question is likely."""
PACE = 8 * 1024 * 1024
"""Bytes per second of all copies together while people are about: some 60,000 rows."""
PAGES, ROWS = "/participants", "/participants/rows"


class Precedence:
    """Copies that share one read in turns, piece by piece."""

    def __init__(self) -> None:
        self._turn = asyncio.Lock()
        self._waiting = 0
        self._nobody_waits = asyncio.Event()
        self._nobody_waits.set()
        self._answered_at = float("-inf")

    @contextmanager
    def somebody_waits(self) -> Iterator[None]:
        """For the length of the block."""
        self._waiting += 1
        self._nobody_waits.clear()
        try:
            yield
        finally:
            self._waiting -= 1
            self._answered_at = time.monotonic()
            if not self._waiting:
                self._nobody_waits.set()

    async def begin_piece(self) -> None:
        """Wait until a copy may read."""
        await self._turn.acquire()
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(PATIENCE_SECONDS):
                    await self._nobody_waits.wait()
        except BaseException:
            self._turn.release()
            raise

    async def end_piece(self, read: int) -> None:
        """Let another copy read. read: bytes."""
        try:
            if self.people_are_about():
                await asyncio.sleep(read / PACE)
        finally:
            self._turn.release()

    @property
    def is_free(self) -> bool:
        """Whether no copy is reading."""
        return not self._turn.locked()

    def people_are_about(self) -> bool:
        """Whether somebody waits for an answer, or had one just now."""
        return self._waiting > 0 or time.monotonic() - self._answered_at < ABOUT_SECONDS


class PeopleFirst:
    """ASGI middleware: behind every request, but for those of files, somebody waits."""

    def __init__(self, app: ASGIApp, precedence: Precedence) -> None:
        self.app = app
        self._precedence = precedence

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if path.startswith(PAGES) and path != ROWS:
            with self._precedence.somebody_waits():
                await self.app(scope, receive, send)
        else:
            await self.app(scope, receive, send)

"""Something that only one process does at a time, with the others standing by."""

import asyncio
import zlib
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.database.engine import held_connection
from shared.database.errors import AWAY
from shared.tasks import stop_tasks

log = structlog.get_logger(__name__)

STANDBY_SECONDS = 1.0
"""How often a standby tries; with the server's notice of a dead connection, the time of a take-over."""


ANSWER_SECONDS = 5.0


class Lease:
    """The right to be the one. Gone when its connection is."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def until_lost(self, look_every: float = STANDBY_SECONDS) -> None:
        """Return when the right is lost. Asks the server over the connection that holds the lock."""
        while True:
            await asyncio.sleep(look_every)
            try:
                async with asyncio.timeout(ANSWER_SECONDS):
                    await self._connection.execute(text("SELECT 1"))
            except AWAY:
                return

    async def hold(self, *runs: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run these side by side until the right is lost or one of them ends; then stop the others.

        Raises what one of them raised.
        """
        tasks = [asyncio.create_task(run()) for run in (*runs, self.until_lost)]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await stop_tasks(tasks)
        for task in tasks:
            if task.done() and not task.cancelled() and (error := task.exception()):
                raise error


@asynccontextmanager
async def exclusive(engine: AsyncEngine, name: str) -> AsyncIterator[Lease]:
    """Wait until nobody else in this database holds `name`, then hold it (a Postgres advisory lock).

    A process that dies lets go at once, since the server sees its connection close. The lock is advice:
    what must never happen twice is guarded again in the transaction that does it.
    """
    async with held_connection(engine) as connection:
        key = zlib.crc32(name.encode())
        while not await connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": key}):
            await asyncio.sleep(STANDBY_SECONDS)
        log.info("lock_taken", lock=name)
        yield Lease(connection)

"""A bell between processes: who waits for new rows is woken by who wrote them.

It may be missed (a lost connection, a dead process), so whoever waits also looks by itself now and then.
NOTIFY is sent after the commit and at most once at a time per process: inside the writing transaction it
would make all commits of the database queue up behind one lock.
"""

import asyncio

import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.database.engine import driver_of, held_connection
from shared.database.errors import AWAY

log = structlog.get_logger(__name__)

RECONNECT_SECONDS = 1.0
ROUND_SECONDS = 0.05
"""Who rings again within it is heard at its end: others look once, however often it rings."""


class Bell:
    """`ring` after a commit; `wait` before looking. `run` carries it to and from other processes."""

    def __init__(self, engine: AsyncEngine, channel: str) -> None:
        self._engine = engine
        self._channel = channel
        self._here = asyncio.Event()
        self._outgoing = asyncio.Event()

    def ring(self) -> None:
        self._here.set()
        self._outgoing.set()

    async def wait(self, at_most: float) -> None:
        """Return when the bell has rung since the last wait, or after `at_most` seconds."""
        try:
            async with asyncio.timeout(at_most):
                await self._here.wait()
        except TimeoutError:
            return
        finally:
            self._here.clear()

    async def run(self) -> None:
        """Never returns."""
        while True:
            try:
                async with held_connection(self._engine) as connection:
                    await self._listen(connection)
            except AWAY as error:
                log.warning("bell_interrupted", channel=self._channel, error=type(error).__name__)
                await asyncio.sleep(RECONNECT_SECONDS)

    async def _listen(self, connection: AsyncConnection) -> None:
        driver = await driver_of(connection)

        ours = driver.get_server_pid()

        def heard(_connection: object, pid: int, *_: object) -> None:
            if pid != ours:
                self._here.set()

        def closed(*_: object) -> None:
            self._outgoing.set()  # so that it is noticed now, and not when somebody rings here

        driver.add_termination_listener(closed)
        await driver.add_listener(self._channel, heard)
        try:
            while True:
                await self._outgoing.wait()
                self._outgoing.clear()
                await connection.execute(text("SELECT pg_notify(:channel, '')"), {"channel": self._channel})
                await asyncio.sleep(ROUND_SECONDS)
        finally:
            if not driver.is_closed():
                await driver.remove_listener(self._channel, heard)


async def ring_once(engine: AsyncEngine, channel: str) -> None:
    """Ring from a process that does not stay."""
    async with engine.begin() as connection:
        await connection.execute(text("SELECT pg_notify(:channel, '')"), {"channel": channel})

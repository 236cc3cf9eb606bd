"""Appends that arrive while others are being written go together into the next transaction.

So a commit's price (a round trip, and the disk's answer) is paid once for all who wait for it. This is on
asyncpg without SQLAlchemy in between, which would cost more than the statement: docs/decisions/0017.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import asyncpg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.database.engine import driver_of
from shared.database.errors import AWAY
from shared.event_store.append import ANY, Append, ConcurrentAppend, statement

GROUP = 500
"""Appends in one transaction at most."""

LINGER_SECONDS = 0.5
"""How long the writer keeps its connection for the next append."""

CLOSE_SECONDS = 5.0
"""How long a process that ends waits for a server that does not answer."""


@dataclass(frozen=True, slots=True)
class Waiting:
    append: Append[Any]
    done: asyncio.Future[tuple[int, datetime]]

    def settle(self, appended: tuple[int, datetime] | None) -> None:
        if appended is None:
            self.refuse(ConcurrentAppend(str(self.append)))
        elif not self.done.done():  # who waited may have been cancelled
            self.done.set_result(appended)

    def refuse(self, error: BaseException) -> None:
        if not self.done.done():
            self.done.set_exception(error)


@dataclass(slots=True)
class GroupCommit:
    """Writes each append in a transaction of its own or of several, none of which depends on another."""

    engine: AsyncEngine
    _waiting: list[Waiting] = field(default_factory=list)
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _writer: asyncio.Task[None] | None = None

    async def append(self, append: Append[Any]) -> tuple[int, datetime]:
        """Returns the stream's version before, and when it was recorded. Committed when it returns.

        Raises ConcurrentAppend, or DBAPIError, OSError and the pool's TimeoutError as the engine does. Who
        is cancelled does not know whether it was appended.
        """
        waiting = Waiting(append, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        self._news.set()
        if self._writer is None:
            self._writer = asyncio.create_task(self._write())
        return await waiting.done

    async def close(self) -> None:
        """Return when what was waiting is written and the connection is given back, or after CLOSE_SECONDS.

        An engine disposes only of connections that nobody holds.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_SECONDS):
                while self._writer is not None:
                    self._news.set()
                    await asyncio.wait([self._writer])

    async def _write(self) -> None:
        try:
            async with self.engine.connect() as connection:
                driver = await driver_of(connection)  # it has begun no transaction
                while await self._somebody_waits():
                    # It may have been closed while nobody needed it: then another one is taken.
                    if driver.is_closed() or not await _write_group(driver, self._take()):
                        await connection.invalidate()
                        return
        except AWAY as error:
            for waiting in self._take():
                waiting.refuse(error)
        finally:
            self._writer = asyncio.create_task(self._write()) if self._waiting else None

    async def _somebody_waits(self) -> bool:
        """Return as soon as somebody does, or False when it takes too long."""
        if not self._waiting:
            self._news.clear()
            linger = asyncio.get_running_loop().call_later(LINGER_SECONDS, self._news.set)
            await self._news.wait()
            linger.cancel()
        return bool(self._waiting)

    def _take(self) -> Sequence[Waiting]:
        """Take the longest waiting, of each stream one: the next one depends on it.

        They are in the order of their streams, so that two processes that write to the same ones do not wait
        for each other.
        """
        group: dict[str, Waiting] = {}
        later = []
        for waiting in self._waiting:
            if len(group) == GROUP or waiting.append.stream in group:
                later.append(waiting)
            else:
                group[waiting.append.stream] = waiting
        self._waiting = later
        return [group[stream] for stream in sorted(group)]


async def _write_group(driver: asyncpg.Connection, group: Sequence[Waiting]) -> bool:
    """Each of the group learns how it went. Returns whether the connection can be used again."""
    try:
        sql, parameters = statement([waiting.append for waiting in group])
        rows = await driver.fetch(sql, *parameters)
    except (asyncpg.UniqueViolationError, asyncpg.DeadlockDetectedError):
        return await _write_apart(driver, group)
    except asyncpg.PostgresError as error:
        lost = driver.is_closed()
        _refuse(group, error, lost)
        return not lost
    except Exception as error:
        # Of a driver whose connection is lost, many kinds are seen; whatever it is, they wait for an answer.
        _refuse(group, error, lost=True)
        return False
    else:
        appended = {row["stream"]: (row["version"], row["at"]) for row in rows}
        for waiting in group:
            waiting.settle(appended.get(waiting.append.stream))
        return True


async def _write_apart(driver: asyncpg.Connection, group: Sequence[Waiting]) -> bool:
    """Another process appended to one of the streams at the same moment: only that one is to know."""
    if len(group) > 1:
        return all([await _write_group(driver, [waiting]) for waiting in group])
    if group[0].append.expected is ANY:
        return await _write_group(driver, group)
    group[0].settle(None)
    return True


def _refuse(group: Sequence[Waiting], error: Exception, lost: bool) -> None:
    """Tell it as SQLAlchemy would, so that callers know one kind of database error."""
    for waiting in group:
        told = DBAPIError("append", None, error, hide_parameters=True, connection_invalidated=lost)
        told.__cause__ = error
        waiting.refuse(told)

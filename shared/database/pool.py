"""asyncpg's own pool, for what is asked so often that SQLAlchemy's would take as long as the question.

Source: docs/decisions/0058.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import asyncpg

WAIT_SECONDS: Final = 30.0
"""How long to wait for a connection while all are taken."""
CLOSE_SECONDS: Final = 5.0


@asynccontextmanager
async def open_pool(url: str, size: int, **settings: str) -> AsyncIterator[asyncpg.Pool]:
    """At most `size` connections, made when they are needed. settings: of Postgres, for each of them.

    Nothing is reset between two who use one: they leave a connection as it was.
    """
    pool = asyncpg.create_pool(
        url, min_size=0, max_size=size, reset=_as_it_was, server_settings={"timezone": "UTC", **settings}
    )
    async with pool:
        try:
            yield pool
        finally:
            await _close(pool)


async def _as_it_was(_connection: object) -> None:
    return


async def _close(pool: asyncpg.Pool) -> None:
    """Wait for those who use it, but not for ever."""
    try:
        async with asyncio.timeout(CLOSE_SECONDS):
            await pool.close()
    except TimeoutError:
        pool.terminate()

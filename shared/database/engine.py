"""Engines: asyncpg behind SQLAlchemy Core."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import asyncpg
import orjson
from sqlalchemy import event
from sqlalchemy.engine import make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from shared.settings import ServiceSettings

Begin = Callable[[], AbstractAsyncContextManager[AsyncConnection]]
"""Opens a transaction that commits at the end of the block: an engine's `begin`, or a rebuild's."""

_CONNECT = {"server_settings": {"timezone": "UTC"}}


def create_engine(url: str, *, pool_size: int = 10) -> AsyncEngine:
    """An engine for a `postgresql://` URL. A Unix socket is named by `?host=/folder`."""
    engine = create_async_engine(
        make_url(url).set(drivername="postgresql+asyncpg"),
        pool_size=pool_size,
        max_overflow=pool_size,
        hide_parameters=True,  # errors are logged, and what was written may be about people
        connect_args=_CONNECT,
        json_deserializer=orjson.loads,
    )
    event.listen(engine.sync_engine, "checkout", _refuse_closed)
    return engine


def _refuse_closed(connection: DBAPIConnection, *_: object) -> None:
    """Let the pool open another connection in place of one that the server has closed.

    The event loop has seen the end of the connection by itself. SQLAlchemy's own pre-ping asks the server,
    in three round trips on asyncpg, each time a connection is taken: as much as the work itself.
    """
    if connection.driver_connection.is_closed():
        raise DisconnectionError


@asynccontextmanager
async def held_connection(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """A connection to the same database, in autocommit, that is none of the pool's.

    One that is held for hours, for a lock or a bell, must not be one that work waits for.
    """
    apart = create_async_engine(
        engine.url, poolclass=NullPool, isolation_level="AUTOCOMMIT", connect_args=_CONNECT
    )
    async with apart.connect() as connection:
        yield connection


async def driver_of(connection: AsyncConnection) -> asyncpg.Connection:
    """asyncpg's connection under SQLAlchemy's. Raises OSError when it is closed."""
    driver: asyncpg.Connection | None = (await connection.get_raw_connection()).driver_connection
    if driver is None:
        raise OSError("the connection is closed")
    return driver


def service_engine(settings: ServiceSettings) -> AsyncEngine:
    return create_engine(settings.database_url.get_secret_value(), pool_size=settings.database_pool_size)

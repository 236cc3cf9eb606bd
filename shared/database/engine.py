"""Engines: asyncpg behind SQLAlchemy Core."""

from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from shared.settings import ServiceSettings


def create_engine(url: str, *, pool_size: int = 10) -> AsyncEngine:
    """An engine for a `postgresql://` URL. A Unix socket is named by `?host=/folder`."""
    return create_async_engine(
        make_url(url).set(drivername="postgresql+asyncpg"),
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_pre_ping=True,
        hide_parameters=True,  # errors are logged, and what was written may be about people
        connect_args={"server_settings": {"timezone": "UTC"}},
    )


def service_engine(settings: ServiceSettings) -> AsyncEngine:
    return create_engine(settings.database_url.get_secret_value(), pool_size=settings.database_pool_size)

"""Bring a service's database to the present schema, as the owner of its tables.

The service runs meanwhile. A statement that needs a table for itself waits for who reads there (a large file
may take minutes), and everybody else would wait behind it: so it waits a moment only, and is tried again.
"""

import asyncio
from pathlib import Path
from typing import Final

import structlog
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.database.engine import create_engine
from shared.database.waiting import LOCK_MILLISECONDS, wait_for_locks

log = structlog.get_logger(__name__)

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
MIGRATION_LOCK = 1_297_106_000
"""Any number, the same everywhere: one migration of a database at a time."""
LOCK_NOT_AVAILABLE: Final = "55P03"
TRIES: Final = 120
PAUSE_SECONDS: Final = 5.0
"""Ten minutes and more in all: longer than a file is written."""


def migrations_config(service: str) -> Config:
    """The service's own migrations beside those that every service has."""
    config = Config()
    config.set_main_option("script_location", str(HERE / "alembic"))
    config.set_main_option("path_separator", "newline")
    folders = [HERE / "backbone", ROOT / "services" / service / "migrations"]
    config.set_main_option("version_locations", "\n".join(str(f) for f in folders if f.is_dir()))
    config.attributes["service_role"] = f"{service}_service"
    return config


async def migrate(
    service: str,
    owner_url: str,
    *,
    lock_milliseconds: int = LOCK_MILLISECONDS,
    pause_seconds: float = PAUSE_SECONDS,
) -> None:
    """Run what is missing. Waits while another process migrates the same database.

    lock_milliseconds: how long others may have to wait behind a statement that waits for a table.
    Raises DBAPIError when a table is not to be had at all. What was done stays, and the next run goes on.
    """
    engine = create_engine(owner_url, pool_size=1)
    try:
        async with engine.connect() as connection:
            await connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": MIGRATION_LOCK})
            await connection.commit()
            await _upgrade_patiently(connection, service, lock_milliseconds, pause_seconds)
    finally:
        await engine.dispose()


async def _upgrade_patiently(
    connection: AsyncConnection, service: str, lock_milliseconds: int, pause_seconds: float
) -> None:
    for left in reversed(range(TRIES)):
        await connection.execute(text(wait_for_locks(lock_milliseconds)))
        await connection.commit()
        try:
            await connection.run_sync(_upgrade, service)
        except DBAPIError as error:
            await connection.rollback()
            if left == 0 or getattr(error.orig, "sqlstate", None) != LOCK_NOT_AVAILABLE:
                raise
            log.info("migration_waits", service=service)
            await asyncio.sleep(pause_seconds)
        else:
            await connection.commit()
            return


def _upgrade(connection: Connection, service: str) -> None:
    config = migrations_config(service)
    config.attributes["connection"] = connection
    command.upgrade(config, "heads")

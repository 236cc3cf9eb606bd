"""Child processes: started apart from the terminal, watched, and stopped in good order."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx

STOP_SECONDS = 20.0
TAIL_LINES = 25
PR_SET_PDEATHSIG = 1


class NotReady(Exception):
    """A service did not become ready in time, or ended instead."""


@dataclass(frozen=True, slots=True)
class Child:
    name: str
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def ended(self) -> bool:
        return self.process.poll() is not None

    def tail(self) -> str:
        """The last lines of its log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-TAIL_LINES:])


def start(name: str, arguments: list[str], environment: Mapping[str, str], log: Path) -> Child:
    """Start `check-data` with these arguments. Its output goes to the log, which begins anew."""
    with log.open("wb") as out:
        process = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-m", "services", *arguments],
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C is the supervisor's to hear
            preexec_fn=_end_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509 - one call
        )
    return Child(name, process, log)


def _end_with_parent() -> None:
    """Ask Linux to end this process when its parent dies, even by kill -9."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def wait_until_ready(child: Child, url: str, seconds: float) -> None:
    """Return when the service says that it is ready. Raises NotReady."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if child.ended:
            raise NotReady(f"{child.name} ended with code {child.process.returncode}")
        try:
            if httpx.get(f"{url}/health/ready", timeout=2).is_success:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise NotReady(f"{child.name} was not ready after {seconds:.0f} seconds")


def stop(children: list[Child]) -> None:
    """Stop all, the last started first: each is asked, and killed when it does not listen."""
    for child in reversed(children):
        if not child.ended:
            child.process.send_signal(signal.SIGTERM)
    until = time.monotonic() + STOP_SECONDS
    for child in children:
        try:
            child.process.wait(max(0.1, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            child.process.kill()
            child.process.wait()

"""Child processes: a crash is noticed, a deaf one is killed, and none outlives its parent."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from services.cli import processes
from services.cli.processes import Child, NotReady, start, stop, wait_until_ready
from shared.embedded.ports import free_ports

DEAF = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("deaf", flush=True)
time.sleep(60)
"""
OBEDIENT = """
import time
print("obedient", flush=True)
time.sleep(60)
"""
PARENT = """
import sys, time
from pathlib import Path
from services.cli.processes import start
environment = {"CHECK_DATA_ENVIRONMENT": "development", "CHECK_DATA_PORT": sys.argv[2]}
child = start("gateway", ["serve", "gateway"], environment, Path(sys.argv[1]))
print(child.process.pid, flush=True)
time.sleep(60)
"""


def script(name: str, code: str, folder: Path) -> Child:
    """A child that runs this, and has begun to."""
    log = folder / f"{name}.log"
    with log.open("wb") as out:
        process = subprocess.Popen([sys.executable, "-c", code], stdout=out, stderr=subprocess.STDOUT)
    child = Child(name, process, log)
    until = time.monotonic() + 20
    while name not in child.tail():
        assert time.monotonic() < until
        time.sleep(0.02)
    return child


def test_a_crashed_child_is_noticed_with_the_end_of_its_log(tmp_path: Path) -> None:
    child = start("nothing", ["serve", "nothing"], {}, tmp_path / "nothing.log")
    began = time.monotonic()
    with pytest.raises(NotReady, match="nothing ended with code 2"):
        wait_until_ready(child, f"http://127.0.0.1:{free_ports(1)[0]}", seconds=60)
    assert time.monotonic() - began < 50, "it does not wait for what has ended"
    assert child.ended
    assert "is not one of" in child.tail()


def test_what_does_not_get_ready_is_not_waited_for_for_ever(tmp_path: Path) -> None:
    child = script("obedient", OBEDIENT, tmp_path)
    with pytest.raises(NotReady, match="obedient was not ready after 1 seconds"):
        wait_until_ready(child, f"http://127.0.0.1:{free_ports(1)[0]}", seconds=0.6)
    stop([child])


def test_a_log_begins_anew_and_its_tail_is_short_also_when_it_is_no_text(tmp_path: Path) -> None:
    log = tmp_path / "nothing.log"
    log.write_text("of the last run\n")
    child = start("nothing", ["serve", "nothing"], {}, log)
    child.process.wait(60)
    assert "of the last run" not in child.tail()
    log.write_bytes(b"".join(b"line %d \xff\n" % number for number in range(1000)))
    assert child.tail().splitlines()[0] == f"line {1000 - processes.TAIL_LINES} \ufffd"
    assert child.tail().splitlines()[-1] == "line 999 \ufffd"


def test_a_child_that_does_not_listen_is_killed_and_the_others_end_in_peace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "STOP_SECONDS", 0.7)
    ended = script("ended", "print('ended')", tmp_path)
    ended.process.wait(10)
    deaf, obedient = script("deaf", DEAF, tmp_path), script("obedient", OBEDIENT, tmp_path)
    began = time.monotonic()
    stop([ended, deaf, obedient])
    assert time.monotonic() - began < 5
    assert [child.process.returncode for child in (ended, deaf, obedient)] == [
        0,
        -signal.SIGKILL,
        -signal.SIGTERM,
    ]


def test_ports_that_are_given_out_together_differ() -> None:
    ports = free_ports(20)
    assert len(set(ports)) == 20


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a process with its parent")
def test_a_child_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path / "gateway.log"), str(free_ports(1)[0])],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    time.sleep(0.3)
    assert lives(child)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    until = time.monotonic() + 15
    try:
        while lives(child):
            assert time.monotonic() < until, "the child outlived its parent"
            time.sleep(0.05)
    finally:
        if lives(child):
            os.kill(child, signal.SIGKILL)


def lives(pid: int) -> bool:
    """Whether a process runs: one that has ended may still wait for somebody to notice."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"

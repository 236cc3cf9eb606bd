"""`check-data run`: the whole system on one machine, from nothing, until Ctrl-C."""

import asyncio
import fcntl
import os
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from types import FrameType
from typing import NoReturn, TextIO

import typer

from services.cli.catalogue import SERVICES
from services.cli.demo import demo_people, let_demo_people_in, make_up_history
from services.cli.home import Home, home
from services.cli.installation import environments, prepare_databases, start_servers
from services.cli.processes import Child, NotReady, start, stop, wait_until_ready
from services.gateway.assets import build as build_assets

READY_SECONDS = 60.0
LOOK_SECONDS = 0.5


class Progress:
    """Says what is going on, with the seconds since the start."""

    def __init__(self) -> None:
        self._started = time.monotonic()

    def __call__(self, what: str) -> None:
        typer.echo(f"[{time.monotonic() - self._started:5.1f} s] {what}")


class Stopped(KeyboardInterrupt):
    """Somebody asked for the end. Of this family, since asyncio swallows others in its callbacks."""


def run(port: int) -> None:
    """Blocks until Ctrl-C or SIGTERM, or until a service crashes; then stops everything it started."""
    place, say = home(), Progress()
    place.prepare()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _ask_to_stop)
    with _only_one(place), ExitStack() as stack:
        try:
            children = _start_all(place, port, say, stack)
            _tell_the_address(place, port, say)
            _watch(children)
        except Stopped:
            say("Stopping")
        except NotReady as trouble:
            typer.echo(f"Error: {trouble}. The logs are in {place.folder / 'log'}.", err=True)
            raise typer.Exit(1) from None


def _start_all(place: Home, port: int, say: Progress, stack: ExitStack) -> list[Child]:
    say("Putting the pages' stylesheets and scripts in place")
    build_assets(place.assets)
    say("Starting Postgres and Valkey")
    servers = start_servers(place, stack)
    say("Preparing the databases")
    databases = asyncio.run(prepare_databases(place, servers))
    told = environments(place, servers, databases, port)
    children: list[Child] = []
    stack.callback(stop, children)
    for service in SERVICES:
        place.save_environment(service, told[service])
    asyncio.run(make_up_history(say))
    say(f"Starting {', '.join(SERVICES)}")
    for service in SERVICES:
        children.append(start(service, ["serve", service], told[service], place.log(service)))
    for child in children:
        _wait(child, told[child.name]["CHECK_DATA_PORT"])
    asyncio.run(let_demo_people_in(say))
    return children


def _wait(child: Child, port: str) -> None:
    try:
        wait_until_ready(child, f"http://127.0.0.1:{port}", READY_SECONDS)
    except NotReady:
        typer.echo(f"--- the end of {child.log}\n{child.tail()}\n---", err=True)
        raise


def _watch(children: list[Child]) -> NoReturn:
    """Wait for a crash. Raises NotReady when there is one."""
    while True:
        for child in children:
            if child.ended:
                typer.echo(f"--- the end of {child.log}\n{child.tail()}\n---", err=True)
                raise NotReady(f"{child.name} crashed with code {child.process.returncode}")
        time.sleep(LOOK_SECONDS)


def _tell_the_address(place: Home, port: int, say: Progress) -> None:
    say("Ready")
    typer.echo(f"\n  Check data for delivery partners:  http://127.0.0.1:{port}")
    typer.echo(f"  Emails that were sent:             http://127.0.0.1:{port}/dev/inbox\n")
    typer.echo("  Sign in as one of these made-up people; the link arrives in the inbox above.")
    typer.echo("  DfE staff and the auditor also enter a code, which the inbox shows at its top.")
    for person in demo_people():
        typer.echo(f"    {person.email:36} {person.may}")
    typer.echo(f"\n  Logs are in {place.folder / 'log'}. Ctrl-C stops everything.\n")


def _ask_to_stop(_number: int, _frame: FrameType | None) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # one is enough: stopping is not interrupted
    raise Stopped


@contextmanager
def _only_one(place: Home) -> Iterator[None]:
    """One run for one folder: two would share data and fight over ports."""
    with (place.folder / "run.lock").open("a+") as lock:
        if not _locked(lock):
            typer.echo(
                f"Error: {place.folder} is in use by another `check-data run`. Stop it first.", err=True
            )
            raise typer.Exit(1)
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def _locked(lock: TextIO) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True

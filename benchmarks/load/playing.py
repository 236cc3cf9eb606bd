"""More and more users at once, on a system that runs."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

from benchmarks.load.lag import Lag, watch
from benchmarks.load.mailbox import Mailbox
from benchmarks.load.people import let_in
from benchmarks.load.visiting import Log, User
from shared.tasks import stop_tasks


@dataclass(frozen=True, slots=True)
class Step:
    """So many users at once, between two moments of the run."""

    users: int
    begin: float
    end: float


@dataclass(frozen=True, slots=True)
class Size:
    """step_seconds: each number of users for so long. think: mean seconds between two pages of a user."""

    participants: int
    users: tuple[int, ...]
    step_seconds: float
    think: float
    trickle_seconds: float


async def play(url: str, inbox: Path, size: Size) -> tuple[list[Step], Log, list[Lag]]:
    """inbox: the folder that emails go to."""
    emails = await let_in(max(size.users))
    log, lags, steps, mailbox = Log(), list[Lag](), list[Step](), Mailbox(inbox)
    apart = [asyncio.create_task(watch(log, lags)), asyncio.create_task(mailbox.watch())]
    tasks = list[asyncio.Task[None]]()
    try:
        for users in size.users:
            begin = log.now()
            for number in range(len(tasks), users):
                user = User(url, emails[number], mailbox, log, size.think, seed=number)
                tasks.append(asyncio.create_task(user.run()))
            await asyncio.sleep(size.step_seconds)
            steps.append(Step(users, begin, log.now()))
            print(f"{users} users: {len(log.visits):,} requests so far", flush=True)
            _raise_what_failed([*apart, *tasks])
    finally:
        await stop_tasks([*apart, *tasks])
    return steps, log, lags


def _raise_what_failed(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        if task.done():
            task.result()

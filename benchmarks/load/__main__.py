"""`python -m benchmarks.load`: start the system, send more and more users, and write docs/load.md."""

import argparse
import asyncio
import json
import os
import tempfile
from pathlib import Path

from benchmarks.load.playing import Size, play
from benchmarks.load.report import write
from benchmarks.report import conditions
from tests.running import running_system

MOST_USERS = 2_000
"""More would measure the users, who share the machine."""
PACKAGES = ("fastapi", "uvicorn", "asyncpg", "httpx")
NO_LIMITS = json.dumps(["1000000 per minute"])
"""All users come from one network address here; what keeps strangers away is measured elsewhere."""


FULL = Size(participants=10_000, users=(25, 50, 100, 200), step_seconds=40, think=2, trickle_seconds=0.1)
SHORT = Size(participants=900, users=(4, 8), step_seconds=8, think=0.5, trickle_seconds=0.2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--short", action="store_true", help="a small world, few users, seconds")
    parser.add_argument("--users", type=int, nargs="+", help="how many at once, step by step")
    parser.add_argument("--seconds", type=float, help="how long each step takes")
    parser.add_argument("--participants", type=int, help="how many participants there are")
    arguments = parser.parse_args()
    base = SHORT if arguments.short else FULL
    size = Size(
        arguments.participants or base.participants,
        tuple(sorted(arguments.users)) if arguments.users else base.users,
        arguments.seconds or base.step_seconds,
        base.think,
        base.trickle_seconds,
    )
    if max(size.users) > MOST_USERS:
        parser.error(f"at most {MOST_USERS:,} users")
    where = f"Made on {conditions(*PACKAGES)}"
    with tempfile.TemporaryDirectory(prefix="check-data-load-") as folder:
        Path(folder).chmod(0o755)  # when run as root, Postgres runs as another user
        home = Path(folder) / "home"
        os.environ["CHECK_DATA_HOME"] = str(home)  # for the commands that let people in
        told = {
            "CHECK_DATA_PARTICIPANTS": str(size.participants),
            "CHECK_DATA_TRICKLE_SECONDS": str(size.trickle_seconds),
            **{f"CHECK_DATA_LINK_LIMITS_{of}": NO_LIMITS for of in ("NETWORK", "EVERYBODY")},
        }
        with running_system(home, told) as system:
            steps, log, lags = asyncio.run(play(system.url, home / "inbox", size))
    world = (
        f"{size.participants:,} participants, 50 delivery partners, an event each "
        f"{size.trickle_seconds:g} s; users read a page for {size.think:g} s on average, each number of them "
        f"for {size.step_seconds:g} s."
    )
    write(where, world, steps, log.visits, lags)


if __name__ == "__main__":
    main()

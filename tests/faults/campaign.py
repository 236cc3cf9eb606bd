"""The long form: `make faults`. Random faults under load, one judge, and a report in docs/faults.md."""

import argparse
import asyncio
import os
import platform
import random
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from tests.faults.injection import FAULTS, KILLS, OTHERS
from tests.faults.report import CLUSTER_BEGIN, END, EXPORTS_BEGIN, Run, report, summary
from tests.faults.world import World, running_world

REPORT = Path(__file__).parents[2] / "docs" / "faults.md"
KILLS_TO_OTHERS = 3
"""So many kills of one service come to one of the other faults."""
SHARE_OF_DOUBLE_FAULTS = 0.25
"""How often the next fault comes before the last one is recovered from."""


def plan(seed: str, kills: int, among: Sequence[str] = OTHERS) -> list[str]:
    """So many kills of one service, and among them the other faults: all of them, before any comes again."""
    rng = random.Random(seed)
    others: list[str] = []
    while len(others) < kills // KILLS_TO_OTHERS:
        others += rng.sample(among, len(among))
    names = rng.choices(KILLS, k=kills) + others[: kills // KILLS_TO_OTHERS]
    rng.shuffle(names)
    return names


async def run(seed: str, partitions: int, names: list[str], *, spread: bool = False) -> Run:
    """These faults, one after the other or on top of the other; then the judge."""
    done = Run(seed, partitions)
    try:
        async with running_world(seed, partitions, spread=spread) as world:
            await _inject(world, done, names)
            for service in world.services:
                done.kills += service.kills
            done.verdict = await world.judge()
            if done.verdict.wrong:
                raise AssertionError("; ".join(done.verdict.wrong) + f" ({world.folder})")
    except AssertionError as error:
        done.wrong = str(error)
    return done


async def _inject(world: World, done: Run, names: list[str]) -> None:
    for number, name in enumerate(names, 1):
        await asyncio.sleep(world.rng.uniform(0, 1))
        say(f"  {number}: {name}", end="")
        await FAULTS[name](world)
        done.faults[name] += 1
        if world.rng.random() < SHARE_OF_DOUBLE_FAULTS:
            say("")
            continue
        done.recoveries[name].append(await world.recovered())
        say(f" ({done.recoveries[name][-1]:.1f} s)")
    done.recoveries[END].append(await world.settled())


async def main() -> int:
    """Returns the exit status: 1 when the judge complains."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200, help="of one service each, over all runs")
    parser.add_argument("--runs", type=int, default=4, help="half of them with 1 partition, half with 4")
    parser.add_argument("--seed", type=int, default=1, help="of the first run; the next ones count up")
    parser.add_argument("--report", type=Path, default=REPORT, help="where to write it")
    arguments = parser.parse_args()
    start = time.monotonic()
    runs = []
    for number in range(arguments.runs):
        seed, partitions = str(arguments.seed + number), (1, 4)[number % 2]
        say(f"Run {number + 1} of {arguments.runs}: seed {seed}, partitions: {partitions}")
        runs.append(await run(seed, partitions, plan(seed, arguments.kills // arguments.runs)))
        say(runs[-1].wrong)
    conditions = (
        f"`--kills {arguments.kills} --runs {arguments.runs} --seed {arguments.seed}`,"
        f" {(time.monotonic() - start) / 60:.0f} minutes on {os.cpu_count()} cores ({platform.machine()}),"
        f" Python {platform.python_version()}, the embedded Postgres and Valkey."
    )
    before = arguments.report.read_text() if arguments.report.exists() else ""
    others = [before.index(mark) for mark in (EXPORTS_BEGIN, CLUSTER_BEGIN) if mark in before]
    kept = before[min(others) :] if others else ""
    arguments.report.write_text(f"{report(runs, conditions).rstrip()}\n\n{kept}".rstrip() + "\n")
    say(summary(runs))
    return int(any(one.wrong for one in runs))


def say(words: str, end: str = "\n") -> None:
    sys.stdout.write(words + end)
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))

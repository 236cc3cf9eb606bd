"""The long form: `make faults`. Random faults under load, one judge, and a table in docs/faults.md."""

import argparse
import asyncio
import statistics
import sys
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from tests.faults.injection import FAULTS, KILLS
from tests.faults.oracle import Verdict
from tests.faults.world import running_world

TABLE = Path(__file__).parents[2] / "docs" / "faults.md"
SHARE_OF_KILLS = 0.6
SHARE_OF_DOUBLE_FAULTS = 0.25
"""How often the next fault comes before the last one is recovered from."""

INTRODUCTION = """# Faults

Made by `make faults`; `tests/faults` says how. Two publishers and two readers, as processes of their
own, work on a Postgres and a Valkey that the campaign kills as it likes. One publisher's clock is 5
minutes ahead and one reader's 5 minutes behind. After each run one judge folds the publisher's log and
compares it with each row, each total, the order within each subject, the checkpoints and each email. A
process that ends by itself fails the run.

"""


@dataclass(frozen=True, slots=True)
class Run:
    """recoveries: seconds to zero lag after each fault, by its name."""

    seed: str
    partitions: int
    verdict: Verdict
    faults: list[str]
    recoveries: dict[str, list[float]]


async def run(seed: str, partitions: int, faults: int) -> Run:
    """So many faults, one after the other or on top of the other; then the judge."""
    recoveries: dict[str, list[float]] = defaultdict(list)
    done: list[str] = []
    async with running_world(seed, partitions) as world:
        for _ in range(faults):
            often = world.rng.random() < SHARE_OF_KILLS
            name = world.rng.choice(KILLS if often else list(FAULTS))
            await asyncio.sleep(world.rng.uniform(0, 1))
            _say(f"  {len(done) + 1}: {name}", end="")
            await FAULTS[name](world)
            done.append(name)
            if world.rng.random() < SHARE_OF_DOUBLE_FAULTS:
                _say("")
                continue
            recoveries[name].append(await world.recovered())
            _say(f" ({recoveries[name][-1]:.1f} s)")
        recoveries["end of the load, all emails sent"].append(await world.settled())
        verdict = await world.judge()
        if verdict.wrong:
            raise AssertionError(f"seed {seed}: {'; '.join(verdict.wrong)}")
    return Run(seed, partitions, verdict, done, recoveries)


def table(runs: list[Run]) -> str:
    lines = [
        "| seed | partitions | events | faults | lost | applied twice | emails | missing"
        " | sent again after recorded | sent again, sender died |",
        "| --- " * 10 + "|",
    ]
    for r in runs:
        v = r.verdict
        lines.append(
            f"| {r.seed} | {r.partitions} | {v.events:,} | {len(r.faults)} | {v.lost} | {v.doubled}"
            f" | {v.emails:,} | {v.emails_missing} | {v.emails_after_recorded} | {v.emails_repeated} |"
        )
    lines += [
        "",
        "Seconds from the end of a fault (servers and services started again) until all that was committed"
        " by then is in the rows, under load:",
        "",
        "| fault | times | measured alone | median | worst |",
        "| --- " * 5 + "|",
    ]
    times = [name for r in runs for name in r.faults]
    for name in (*FAULTS, "end of the load, all emails sent"):
        seconds = [s for r in runs for s in r.recoveries.get(name, ())]
        median, worst = (f"{statistics.median(seconds):.1f}", f"{max(seconds):.1f}") if seconds else ("", "")
        count = times.count(name) if name in FAULTS else len(runs)
        lines.append(f"| {name} | {count} | {len(seconds)} | {median} | {worst} |")
    return "\n".join(lines) + "\n"


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--faults", type=int, default=340, help="how many, over all runs")
    parser.add_argument("--runs", type=int, default=4, help="half of them with 1 partition, half with 4")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    runs = []
    for number in range(arguments.runs):
        partitions = (1, 4)[number % 2]
        seed = str(arguments.seed + number)
        _say(f"Run {number + 1} of {arguments.runs}: seed {seed}, partitions: {partitions}")
        runs.append(await run(seed, partitions, arguments.faults // arguments.runs))
    TABLE.write_text(INTRODUCTION + table(runs))
    _say(table(runs))


def _say(words: str, end: str = "\n") -> None:
    sys.stdout.write(words + end)
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main())

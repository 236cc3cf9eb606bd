"""`make faults-cluster`: the campaign where a bus is a cluster of three, and Postgres has a replica."""

import argparse
import asyncio
import os
import platform
import re
import sys
import time

from tests.faults.campaign import REPORT, plan, run, say
from tests.faults.injection import SPREAD_OTHERS
from tests.faults.report import CLUSTER_BEGIN, CLUSTER_END, kills_table, recoveries_table, runs_table, summary

INTRODUCTION = """## On a cluster, with a replica

Made by `make faults-cluster`. The same services, load and judge on three Valkeys that are one cluster without
replicas, and on a Postgres that has a streaming replica and waits for it (`synchronous_standby_names`).
Besides services, one node of the cluster is killed and comes back empty, or is paused; the primary is killed,
its replica promoted, and a new replica made.
"""


async def main() -> int:
    """Returns the exit status: 1 when the judge complains."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=30, help="of one service each, over all runs")
    parser.add_argument("--runs", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1, help="of the first run; the next ones count up")
    arguments = parser.parse_args()
    start = time.monotonic()
    runs = []
    for number in range(arguments.runs):
        seed = str(arguments.seed + number)
        say(f"Run {number + 1} of {arguments.runs}: seed {seed}")
        names = plan(seed, arguments.kills // arguments.runs, SPREAD_OTHERS)
        runs.append(await run(seed, 4, names, spread=True))
        say(runs[-1].wrong)
    conditions = (
        f"`--kills {arguments.kills} --runs {arguments.runs} --seed {arguments.seed}`,"
        f" {(time.monotonic() - start) / 60:.0f} minutes on {os.cpu_count()} cores ({platform.machine()}),"
        f" Python {platform.python_version()}, the embedded Postgres and Valkey.\n"
    )
    parts = [INTRODUCTION, f"{summary(runs)}\n", conditions, runs_table(runs)]
    parts += [f"Seed {one.seed} failed: {one.wrong}\n" for one in runs if one.wrong]
    write("\n".join([*parts, kills_table(runs), recoveries_table(runs)]))
    say(summary(runs))
    return int(any(one.wrong for one in runs))


def write(section: str) -> None:
    """In its place in docs/faults.md, at the end."""
    page = re.sub(f"(?s)\n*{CLUSTER_BEGIN}.*?{CLUSTER_END}\n?", "", REPORT.read_text())
    REPORT.write_text(f"{page.rstrip()}\n\n{CLUSTER_BEGIN}\n{section.strip()}\n{CLUSTER_END}\n")


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))

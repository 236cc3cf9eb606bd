"""`python -m benchmarks [--short] [NAME …]`: run the named benchmarks, or all of them."""

import argparse
import asyncio
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from benchmarks.backbone.run import run_backbone
from benchmarks.backfill.run import run_backfill
from benchmarks.export.run import run_export
from benchmarks.gateway.run import run_gateway
from benchmarks.participants.run import run_participants

BENCHMARKS: Mapping[str, Callable[[bool], Coroutine[Any, Any, None]]] = {
    "backbone": run_backbone,
    "backfill": run_backfill,
    "export": run_export,
    "gateway": run_gateway,
    "participants": run_participants,
}
"""Each writes its section of docs/benchmarks.md. True asks for the short form."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(BENCHMARKS)}")
    parser.add_argument("--short", action="store_true", help="fewer rounds, and no log of a million events")
    arguments = parser.parse_args()
    if unknown := set(arguments.names) - BENCHMARKS.keys():
        parser.error(f"there is no benchmark {', '.join(sorted(unknown))}")
    for name in arguments.names or BENCHMARKS:
        asyncio.run(BENCHMARKS[name](arguments.short))


if __name__ == "__main__":
    main()

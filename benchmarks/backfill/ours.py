"""A backfill and a rebuild in a process of their own, since a process does not give its peak of memory back.

`python -m benchmarks.backfill.ours FILE SERVICE_URL OWNER_URL` prints what was measured as JSON.
"""

import asyncio
import json
import logging
import re
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import structlog

from services.participants.backfill import BackfillReport, backfill
from services.participants.bulk import in_bulk
from services.participants.days import begin_day
from services.participants.events import Event
from services.participants.publishing import CODEC
from services.participants.rebuild import DerivedRows
from shared.bus.rebuilding import rebuild
from shared.clock import system_clock
from shared.database.engine import create_engine
from shared.event_store import EventStore


@dataclass(frozen=True, slots=True)
class Ours:
    """Seconds by the clock; memory: peak of the process after each, MiB."""

    events: int
    participants: int
    receiving: float
    backfill: float
    backfill_memory: float
    rebuild: float
    rebuild_memory: float


async def measure(file: str, service_url: str, owner_url: str) -> Ours:
    engine = create_engine(service_url)
    store: EventStore[Event] = EventStore(engine, CODEC, system_clock)
    await begin_day(store, system_clock)
    began = time.perf_counter()
    received = began

    def progress(report: BackfillReport) -> None:
        nonlocal received
        if not report.derived:
            received = time.perf_counter()

    with Path(file).open() as lines, in_bulk() as means:  # noqa: ASYNC230
        report = await backfill(engine, lines, means=means, progress=progress)
    filled, filled_memory = time.perf_counter(), _peak()
    if report.parked:
        raise RuntimeError(f"{report.parked} lines were refused: {report.bad_lines[:3]}")
    with in_bulk() as means:
        difference = await rebuild(owner_url, DerivedRows(means, lambda what, done: None))
    if any(difference.values()):
        raise RuntimeError(f"the rebuild differs: {difference}")
    rebuilt = time.perf_counter()
    await store.close()
    await engine.dispose()
    return Ours(
        report.accepted,
        report.derived,
        received - began,
        filled - began,
        filled_memory,
        rebuilt - filled,
        _peak(),
    )


def _peak() -> float:
    """Not from getrusage: its figure goes on from the process that started this one."""
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) / 1024  # type: ignore[index]


if __name__ == "__main__":
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    print(json.dumps(asdict(asyncio.run(measure(*sys.argv[1:4])))))

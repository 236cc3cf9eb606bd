"""Events per second of a backfill and of a rebuild, as a share of COPY and upsert; memory at two lengths."""

import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from sqlalchemy.engine import make_url

from benchmarks.backfill.bare import LOG, READ_MODEL, made, seconds_to_load
from benchmarks.backfill.ours import Ours
from benchmarks.report import conditions, goal, table, write_section
from services.manage_ects import ndjson
from services.manage_ects.domain.history import history
from shared.database.provision import ServiceDatabase
from tests.databases import Databases
from tests.servers import Servers, embedded_servers

SEED = 20_260_901
TODAY = date(2026, 9, 1)


@dataclass(frozen=True, slots=True)
class Size:
    """few: with which memory is compared."""

    participants: int
    few: int
    rounds: int


FULL, SHORT = Size(50_000, 5_000, rounds=3), Size(2_000, 500, rounds=1)


@dataclass(frozen=True, slots=True)
class Round:
    ours: Ours
    bare_backfill: float
    bare_rebuild: float


async def run_backfill(short: bool) -> None:
    size = SHORT if short else FULL
    where = conditions("asyncpg", "sqlalchemy", "pydantic", "orjson")
    with embedded_servers() as servers, tempfile.TemporaryDirectory() as folder:
        many, few = Path(folder) / "many.ndjson", Path(folder) / "few.ndjson"
        for file, participants in ((many, size.participants), (few, size.few)):
            with file.open("w") as out:
                ndjson.write(history(SEED, participants, TODAY), out)
        databases = Databases(servers)
        small = await _ours(databases, few)
        rounds = [await _round(servers, databases, many) for _ in range(size.rounds)]
    first = rounds[0].ours
    text = [
        "## Participants: backfill and rebuild",
        f"Made on {where}, embedded Postgres as it comes. {'**Short form**. ' if short else ''}"
        f" {first.participants:,} participants, {first.events:,} events; {size.rounds} rounds, each side on"
        " an empty database. The limit writes the same rows, made already, by COPY and upsert in transactions"
        " of 20,000: nothing is read, checked or derived.",
        table(("what", "goal", "reached", "met"), _goals(small, rounds)),
        table(("events per second", "ours", "COPY and upsert", "of that"), _rates(rounds)),
        f"Of our backfill {_share(rounds):.0%} of the time is the receiving, the rest is deriving."
        f" Peak memory: {small.backfill_memory:.0f} MiB at {small.events:,} events,"
        f" {first.backfill_memory:.0f} MiB at {first.events:,}; with the rebuild"
        f" {small.rebuild_memory:.0f} and {first.rebuild_memory:.0f} MiB.",
    ]
    write_section("backfill", "\n\n".join(text))


async def _round(servers: Servers, databases: Databases, file: Path) -> Round:
    filled = await databases.new("participants")
    ours = await _ours(databases, file, filled)
    source = _as_admin(servers, filled)
    rows = await made(source, READ_MODEL)
    rebuilt = await _bare(servers, databases, rows)
    written = await _bare(servers, databases, {**await made(source, LOG), **rows})
    return Round(ours, bare_backfill=written, bare_rebuild=rebuilt)


async def _ours(databases: Databases, file: Path, database: ServiceDatabase | None = None) -> Ours:
    database = database or await databases.new("participants")
    child = await asyncio.to_thread(
        subprocess.run,
        [
            sys.executable,
            "-m",
            "benchmarks.backfill.ours",
            str(file),
            database.service_url,
            database.owner_url,
        ],
        check=True,
        stdout=subprocess.PIPE,
    )
    measured = Ours(**json.loads(child.stdout.splitlines()[-1]))
    print(measured, flush=True)
    return measured


async def _bare(servers: Servers, databases: Databases, rows: Mapping[str, Sequence[bytes]]) -> float:
    seconds = await seconds_to_load(_as_admin(servers, await databases.new("participants")), rows)
    print(f"COPY and upsert: {seconds:.1f} s", flush=True)
    return seconds


def _as_admin(servers: Servers, database: ServiceDatabase) -> str:
    return (
        make_url(servers.postgres_admin_url).set(database=database.name).render_as_string(hide_password=False)
    )


def _goals(small: Ours, rounds: Sequence[Round]) -> list[list[str]]:
    large = rounds[0].ours
    return [
        goal("backfill: events/s of COPY and upsert", _backfill_share(rounds), 0.3),
        goal("rebuild: events/s of COPY and upsert", _rebuild_share(rounds), 0.3),
        goal(
            f"memory of a backfill at {large.events:,} events, times that at {small.events:,}",
            large.backfill_memory / small.backfill_memory,
            1.2,
            at_most=True,
        ),
    ]


def _rates(rounds: Sequence[Round]) -> list[list[str]]:
    events = rounds[0].ours.events

    def rate(seconds: Sequence[float]) -> str:
        return f"{events / statistics.median(seconds):,.0f}"

    return [
        [
            "backfill",
            rate([r.ours.backfill for r in rounds]),
            rate([r.bare_backfill for r in rounds]),
            f"{_backfill_share(rounds):.2f}",
        ],
        [
            "rebuild",
            rate([r.ours.rebuild for r in rounds]),
            rate([r.bare_rebuild for r in rounds]),
            f"{_rebuild_share(rounds):.2f}",
        ],
    ]


def _backfill_share(rounds: Sequence[Round]) -> float:
    return statistics.median(r.bare_backfill / r.ours.backfill for r in rounds)


def _rebuild_share(rounds: Sequence[Round]) -> float:
    return statistics.median(r.bare_rebuild / r.ours.rebuild for r in rounds)


def _share(rounds: Sequence[Round]) -> float:
    return statistics.median(r.ours.receiving / r.ours.backfill for r in rounds)

"""Exports against the COPY of the same rows, and against building the file in memory."""

import asyncio
import csv
import io
import logging
import statistics
import time
import tracemalloc
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
import httpx
import structlog

from benchmarks.export.world import World, open_world
from benchmarks.measuring import Measured, Side, in_turns, percentile
from benchmarks.report import conditions, goal, rates, table, write_section

OURS, RAW, MEMORY = "ours, asked until ready", "raw COPY to a file", "built in memory"
COLUMNS = "full_name, email, trn, role, lead_provider, school, urn, academic_year, training_status, status"
ROWS = f"""
    SELECT {COLUMNS} FROM participant_views
    WHERE organisation_id = $1 AND organisation_kind = 'delivery_partner' ORDER BY sort_name, participant_id
"""  # noqa: S608
SMALL, MIDDLE, LARGE, MILLION = 200, 60_000, 500_000, 1_000_000
LISTS = 200
LONG, SHORT = 3, 10
"""Long files of one organisation, and how many short ones another asks for meanwhile."""
RATES = ("rows/s", "min", "median", "max", "× raw")
SECONDS = 300
LOOK_SECONDS = 1.0
"""Between two looks at a file beside which lists are measured; the page looks every three seconds."""


async def run_export(short: bool) -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    where = conditions("asyncpg", "obstore", "uvicorn", "httpx")
    repeats = 2 if short else 5
    sizes = [SMALL, MIDDLE, LARGE] if short else [SMALL, MIDDLE, LARGE, MILLION]
    async with open_world(sizes) as world, httpx.AsyncClient(timeout=SECONDS) as http:
        grown = {size: await _peaks_after(world, http, size) for size in sizes[:-1]}
        measured = {size: await in_turns(_sides(world, http, size), repeats) for size in (MIDDLE, LARGE)}
        small = [await _exported(world, http, SMALL) for _ in range(10)]
        alone = await _lists(world, http)
        tasks = [asyncio.create_task(_exported(world, http, LARGE, LOOK_SECONDS)) for _ in range(LONG)]
        await asyncio.sleep(0.3)
        beside = await _lists(world, http, tasks)
        await asyncio.gather(*tasks)
        fair = await _short_ones_beside_long(world, http)
        peaks = grown[sizes[-1]] = await _peaks_after(world, http, sizes[-1])
        built = await _in_memory_peak(world, LARGE)
    sections = [
        "## Exports",
        f"Made on {where}. Postgres, participants, export and the one who asks share the cores. "
        f"{'**Short form** (`--short`): ' if short else ''}{repeats} rounds after one of warming up. "
        "Ours: from the request for the file until it is offered, through HTTP, with formulas made harmless, "
        "a checksum, and the events on record. Raw: asyncpg's COPY of the same columns and order to a file, "
        "by the same role under row-level security. In memory: all rows fetched, one string made, one file "
        "written.",
        _goals(measured[LARGE], small, alone, beside, peaks, sizes[-1], fair),
    ]
    for size, result in measured.items():
        sections += [
            f"**{size:,} rows**",
            table(("rows/s", "min", "median", "max", "× raw"), rates(result, (RAW,))),
        ]
    sections += [
        "**Peak memory, MiB**, of each process so far, after an export of so many rows:",
        table(
            ("rows", *peaks),
            [(f"{size:,}", *(f"{peak:,.0f}" for peak in grown[size].values())) for size in sizes],
        ),
        f"What the in-memory way holds of {LARGE:,} rows: {built:,.0f} MiB (Python objects alone).",
    ]
    write_section("export", "\n\n".join(sections))


def _goals(
    large: Measured,
    small: list[float],
    alone: list[float],
    beside: list[float],
    peaks: Mapping[str, float],
    most: int,
    fair: list[float],
) -> str:
    return table(
        ("what", "goal", "reached", "met"),
        [
            goal(f"{LARGE:,} rows: rows/s of raw COPY's", large.ratio(OURS, RAW), 0.4),
            goal(
                f"{SMALL} rows on an idle system, median seconds", statistics.median(small), 1, at_most=True
            ),
            goal(
                f"{SMALL} rows beside another organisation's {LONG} of {LARGE:,}, median seconds",
                statistics.median(fair),
                1,
                at_most=True,
            ),
            goal(f"peak MiB of each process at {most:,} rows", max(peaks.values()), 150, at_most=True),
            goal(
                f"p95 of the list beside 3 exports: times alone ({percentile(alone, 0.95) * 1000:.1f} ms)",
                percentile(beside, 0.95) / percentile(alone, 0.95),
                1.5,
                at_most=True,
            ),
        ],
    )


def _sides(world: World, http: httpx.AsyncClient, size: int) -> dict[str, Side]:
    async def ours() -> float:
        return size / await _exported(world, http, size)

    return {
        OURS: ours,
        RAW: partial(_raw, world, size),
        MEMORY: partial(_in_memory, world, size),
    }


async def _exported(world: World, http: httpx.AsyncClient, size: int, look_every: float = 0.05) -> float:
    """Seconds from asking to the offer, as the events of the export tell them, however often one looks."""
    organisation, person = world.organisations[size], uuid4()
    headers = world.headers("export", organisation, person)
    body = {"query": {}, "idempotency_key": str(uuid4())}
    url = f"{world.urls['export']}/exports"
    answer = await http.post(url, json=body, headers=headers)
    answer.raise_for_status()
    export_id = answer.json()["export_id"]
    async with asyncio.timeout(SECONDS):
        while True:
            headers = world.headers("export", organisation, person)
            shown = (await http.get(f"{url}/{export_id}", headers=headers)).json()
            if shown["state"] == "ready":
                break
            assert shown["state"] != "failed", shown
            await asyncio.sleep(look_every)
    assert shown["rows_written"] == size
    return await _between(world, export_id)


async def _peaks_after(world: World, http: httpx.AsyncClient, size: int) -> dict[str, float]:
    await _exported(world, http, size)
    return {name: world.peak(name) for name in world.processes}


async def _short_ones_beside_long(world: World, http: httpx.AsyncClient) -> list[float]:
    long = [asyncio.create_task(_exported(world, http, LARGE, LOOK_SECONDS)) for _ in range(LONG)]
    await asyncio.sleep(0.3)
    seconds: list[float] = []
    while len(seconds) < SHORT and not any(task.done() for task in long):
        seconds.append(await _exported(world, http, SMALL))
    await asyncio.gather(*long)
    return seconds


async def _between(world: World, export_id: str) -> float:
    connection = await asyncpg.connect(world.export.service_url)
    seconds: float = await connection.fetchval(
        "SELECT extract(epoch FROM max(recorded_at) - min(recorded_at))::float8 FROM events"
        " WHERE stream = $1 AND type IN ('ExportRequested', 'ExportWritten')",
        f"export-{export_id}",
    )
    await connection.close()
    return seconds


async def _reader(world: World, organisation: UUID) -> asyncpg.Connection:
    connection = await asyncpg.connect(world.participants.extra_urls["participants_reader"])
    await connection.execute(
        "SELECT set_config('check_data.organisation', $1, false),"
        " set_config('check_data.organisation_kind', 'delivery_partner', false)",
        str(organisation),
    )
    return connection


async def _raw(world: World, size: int) -> float:
    organisation = world.organisations[size]
    connection = await _reader(world, organisation)
    path = Path(world.folder) / "raw.csv"
    began = time.perf_counter()
    await connection.copy_from_query(ROWS, organisation, output=str(path), format="csv")
    seconds = time.perf_counter() - began
    await connection.close()
    return size / seconds


async def _in_memory(world: World, size: int) -> float:
    organisation = world.organisations[size]
    connection = await _reader(world, organisation)
    began = time.perf_counter()
    rows = await connection.fetch(ROWS, organisation)
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    (Path(world.folder) / "memory.csv").write_text(text.getvalue())
    seconds = time.perf_counter() - began
    await connection.close()
    return size / seconds


async def _in_memory_peak(world: World, size: int) -> float:
    tracemalloc.start()
    await _in_memory(world, size)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak / 1024 / 1024


async def _lists(
    world: World, http: httpx.AsyncClient, while_: list[asyncio.Task[float]] | None = None
) -> list[float]:
    """Seconds of each first page of the list: so many, or as many as are answered while the tasks run."""
    organisation, person = world.organisations[MIDDLE], uuid4()
    seconds = []
    for _ in range(LISTS):
        if while_ and all(task.done() for task in while_):
            break
        headers = world.headers("participants", organisation, person)
        began = time.perf_counter()
        (await http.get(f"{world.urls['participants']}/participants", headers=headers)).raise_for_status()
        seconds.append(time.perf_counter() - began)
        await asyncio.sleep(0.02)
    return seconds

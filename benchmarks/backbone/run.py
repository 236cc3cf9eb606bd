"""All of the backbone's measurements, their goals, and the section that tells of them."""

import logging
import statistics
from dataclasses import dataclass

import structlog

from benchmarks.backbone import appending, growth, latency, loading, projecting
from benchmarks.backbone.appending import OURS, PEER, RAW, Load
from benchmarks.backbone.pipeline import BATCH
from benchmarks.backbone.world import open_world
from benchmarks.measuring import Measured, percentile
from benchmarks.report import conditions, goal, rates, table, write_section

RATES = ("events/s", "min", "median", "max")
PACKAGES = ("asyncpg", "sqlalchemy", "psycopg", "eventsourcing", "redis", "faststream")


@dataclass(frozen=True, slots=True)
class Size:
    repeats: int
    loads: tuple[Load, Load, Load]
    to_rows: int
    probes: int
    load_events: int
    lengths: list[int]


GROWTH_RUNS = 3

FULL = Size(
    repeats=7,
    loads=(
        Load("Single events, 1 writer", writers=1, batch=1, events=1_000),
        Load("Single events, 16 writers", writers=16, batch=1, events=300),
        Load("Batches of 100, 1 writer", writers=1, batch=100, events=20_000),
    ),
    to_rows=50_000,
    probes=400,
    load_events=20_000,
    lengths=[10_000, 100_000, 1_000_000],
)
SHORT = Size(
    repeats=3,
    loads=(
        Load("Single events, 1 writer", writers=1, batch=1, events=300),
        Load("Single events, 16 writers", writers=16, batch=1, events=100),
        Load("Batches of 100, 1 writer", writers=1, batch=100, events=5_000),
    ),
    to_rows=10_000,
    probes=100,
    load_events=5_000,
    lengths=[10_000, 40_000],
)


async def run_backbone(short: bool) -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    size = SHORT if short else FULL
    where = conditions(*PACKAGES)
    async with open_world() as world:
        where = f"{where}. {await world.settings()}"
        appends = []
        for load in size.loads:
            appends.append(await appending.measure(world, load, size.repeats))
            print(f"{load.name}: done", flush=True)
        to_rows = await projecting.measure(world, size.to_rows, size.repeats)
        print("Store to rows: done", flush=True)
        late = await latency.measure(world, size.probes, size.load_events)
        print("Latency: done", flush=True)
        loaded = await loading.measure(world, size.repeats)
        grown = await growth.measure(world, size.lengths, GROWTH_RUNS)
    sections = [
        "## Event store and bus",
        f"Made on {where}. Servers, writers and readers share the cores. "
        f"{'**Short form** (`--short`): ' if short else ''}{size.repeats} rounds after one of warming up.",
        "### Goals",
        _goals(appends, to_rows, late, grown),
        *_appends(size, appends),
        *_to_rows(size, to_rows),
        *_latency(size, late),
        *_growth(grown),
        *_loading(loaded),
    ]
    write_section("backbone", "\n\n".join(sections))


def _goals(
    appends: list[Measured], to_rows: Measured, late: latency.Latencies, grown: list[growth.Growth]
) -> str:
    single, sixteen, hundred = appends
    first, last = grown[0], grown[-1]
    rows = [
        goal("single appends, 1 writer: times `eventsourcing`", single.ratio(OURS, PEER), 2),
        goal("single appends, 16 writers: times `eventsourcing`", sixteen.ratio(OURS, PEER), 6),
        goal("batches of 100: times `eventsourcing`", hundred.ratio(OURS, PEER), 2),
        goal("single appends, 1 writer: of the raw INSERT", single.ratio(OURS, RAW), 0.6),
        goal("single appends, 16 writers: of the raw INSERT", sixteen.ratio(OURS, RAW), 0.6),
        goal("batches of 100: of the raw INSERT", hundred.ratio(OURS, RAW), 0.6),
        goal("store to rows: of the raw way", to_rows.ratio(projecting.OURS, projecting.RAW), 0.5),
        goal(
            "store to rows: times one transaction for each event (ours)",
            to_rows.ratio(projecting.OURS, projecting.OURS_BY_ONE),
            20,
        ),
        goal("append to row visible, idle, p99 in ms", percentile(late.idle, 0.99), 100, at_most=True),
        goal(
            f"memory at {last.events:,} events: times that at {first.events:,}",
            last.memory / first.memory,
            1.1,
            at_most=True,
        ),
        *(
            goal(
                f"{what}: growth of an event's cost from {first.events:,} to {last.events:,}, "
                f"times {of_raw}'s own ({growth_raw:.2f})",
                growth_ours / growth_raw,
                1.2,
                at_most=True,
            )
            for what, growth_ours, of_raw, growth_raw in (
                (
                    "appended in batches of 100",
                    last.append_batch / first.append_batch,
                    "the bare INSERT",
                    last.append_batch_raw / first.append_batch_raw,
                ),
                (
                    "store to rows",
                    last.to_rows / first.to_rows,
                    "the raw way",
                    last.to_rows_raw / first.to_rows_raw,
                ),
            )
        ),
    ]
    return table(("what", "goal", "reached", "met"), rows)


def _appends(size: Size, measured: list[Measured]) -> list[str]:
    parts = [
        "### Appends",
        "The same events to new streams of ten (batches: one stream each) on one server. Ours checks the "
        "expected version, keeps the trace and queues the event for its position; “with positions” has the "
        "numberer at work beside the writers, and `eventsourcing`'s application recorder locks its table for "
        "the same end. Ours and `eventsourcing` (its event store with its JSON transcoder) make rows of "
        "events while the clock runs; its recorders alone and the raw INSERT get theirs made beforehand. "
        "Writers are tasks of one process, for `eventsourcing` threads.",
    ]
    for load, result in zip(size.loads, measured, strict=True):
        parts += [
            f"**{load.name}**, {load.events:,} events each",
            table((*RATES, "× raw", "× `eventsourcing`"), rates(result, (RAW, PEER))),
        ]
    return parts


def _to_rows(size: Size, measured: Measured) -> list[str]:
    others = (projecting.RAW, projecting.OURS_BY_ONE, projecting.RAW_BY_ONE)
    return [
        "### Store to rows",
        f"{size.to_rows:,} committed events without positions (a tenth for one transaction each), until all "
        f"are in the rows: relay and projection in one process, batches of {BATCH}, the same upsert. Raw: "
        "SELECT by ID, pipelined XADD of the JSON as it is, XREAD, upsert; no positions, envelopes, "
        "validation, checkpoints, parking.",
        table((*RATES, "× raw", "× ours by one", "× raw by one"), rates(measured, others)),
    ]


def _latency(size: Size, late: latency.Latencies) -> list[str]:
    return [
        "### Append to row visible",
        f"{size.probes} single appends by a caller that waits for the row on another connection; "
        f"half load is half of {late.capacity:,.0f} events/s, which one process takes in (batches of "
        f"{latency.LOAD_BATCH}) and brings to rows.",
        table(
            ("milliseconds", "min", "p50", "p99", "max"),
            [
                [
                    name,
                    *(
                        f"{value:.1f}"
                        for value in (min(v), statistics.median(v), percentile(v, 0.99), max(v))
                    ),
                ]
                for name, v in (("idle", late.idle), ("half load", late.half))
            ],
        ),
    ]


def _growth(grown: list[growth.Growth]) -> list[str]:
    costs = ("append, single", "append, batches of 100", "the bare INSERT", "store to rows", "the raw way")
    return [
        "### Length of the log",
        "Each length in a process of its own that appends, relays and projects it all. Microseconds per "
        f"event, medians of {GROWTH_RUNS} runs. Batches: {growth.BLOCKS - 1} times {growth.LAST:,} events on "
        "top of the log, in turns with the bare INSERT on a table as long, after a CHECKPOINT; the raw way "
        "takes the same log to the same rows.",
        table(
            ("events", *costs, "peak memory, MiB"),
            [
                [
                    f"{g.events:,}",
                    *(
                        f"{v:,.0f}"
                        for v in (
                            g.append_single,
                            g.append_batch,
                            g.append_batch_raw,
                            g.to_rows,
                            g.to_rows_raw,
                            g.memory,
                        )
                    ),
                ]
                for g in grown
            ],
        ),
    ]


def _loading(measured: Measured) -> list[str]:
    return [
        "### Length of a stream",
        "Milliseconds to load a stream in a transaction and fold it, which is what a command pays before it "
        "decides.",
        table(
            ("events", "min", "median", "max"),
            [
                [length, *(f"{value:.2f}" for value in (min(r), statistics.median(r), max(r)))]
                for length, r in measured.rounds.items()
            ],
        ),
    ]

"""What the campaign saw, as docs/faults.md tells it and in one line."""

import math
import statistics
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain

from tests.faults.injection import FAULTS
from tests.faults.oracle import Verdict

EXPORTS_BEGIN, EXPORTS_END = "<!-- exports: begin -->", "<!-- exports: end -->"
CLUSTER_BEGIN, CLUSTER_END = "<!-- cluster: begin -->", "<!-- cluster: end -->"
END = "end of the load, all emails sent"
INTRODUCTION = """# Faults

Made by `make faults`; `tests/faults` says how. Two publishers, two readers and two senders of emails, as
processes of their own, work on a Postgres and a Valkey that the campaign kills as it likes. Of each two, the
clock of one is 5 minutes off: ahead at the publishers, behind at the others. After each run one judge folds
the publisher's log and compares it with each row, each total, the order within each subject, the checkpoints
and each email. A process that ends by itself fails the run.
"""


@dataclass
class Run:
    """recoveries: seconds to zero lag after each fault, by its name. kills: of services, by what they were.

    wrong: why the run failed, in words; empty when every promise was kept.
    """

    seed: str
    partitions: int
    faults: Counter[str] = field(default_factory=Counter)
    kills: Counter[str] = field(default_factory=Counter)
    recoveries: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    verdict: Verdict | None = None
    wrong: str = ""


def report(runs: Sequence[Run], conditions: str) -> str:
    """Markdown. conditions: how it was run, as a sentence."""
    parts = [INTRODUCTION, f"{summary(runs)}\n\n{conditions}\n", runs_table(runs)]
    parts += [f"Seed {run.seed} failed: {run.wrong}\n" for run in runs if run.wrong]
    return "\n".join([*parts, kills_table(runs), recoveries_table(runs)])


def summary(runs: Sequence[Run]) -> str:
    """One line."""
    verdicts = [run.verdict for run in runs if run.verdict]
    seconds = [s for run in runs for name, of in run.recoveries.items() if name != END for s in of]
    return (
        f"{len(runs)} runs, {sum(bool(run.wrong) for run in runs)} failed;"
        f" {sum(run.faults.total() for run in runs)} faults,"
        f" {sum(run.kills.total() for run in runs)} services killed;"
        f" {sum(v.events for v in verdicts):,} events, {sum(v.lost for v in verdicts)} lost,"
        f" {sum(v.doubled for v in verdicts)} applied twice;"
        f" {sum(v.emails for v in verdicts):,} emails, {sum(v.emails_missing for v in verdicts)} missing,"
        f" {sum(v.emails_after_recorded for v in verdicts)} sent again after recorded as sent;"
        f" seconds to zero lag: {' / '.join(_quantiles(seconds)) or 'not measured'} (p50 / p95 / worst)."
    )


def runs_table(runs: Sequence[Run]) -> str:
    headings = (
        *("seed", "partitions", "faults", "events", "lost", "applied twice", "emails", "missing"),
        *("sent again after recorded", "sent again, sender died"),
    )
    return _table(headings, ((run.seed, run.partitions, run.faults.total(), *_found(run)) for run in runs))


def _found(run: Run) -> tuple[object, ...]:
    v = run.verdict
    if v is None:
        return ("not judged",)
    return (
        *(f"{v.events:,}", v.lost, v.doubled, f"{v.emails:,}", v.emails_missing),
        *(v.emails_after_recorded, v.emails_repeated),
    )


def kills_table(runs: Sequence[Run]) -> str:
    """A reader's lock is a partition's, a publisher's the relay's; a sender needs none."""
    kills = sum((run.kills for run in runs), Counter[str]())
    return "Services killed, by what they were at that moment:\n\n" + _table(
        ("service", "kill -9"), [*sorted(kills.items()), ("all", kills.total())]
    )


def recoveries_table(runs: Sequence[Run]) -> str:
    rows = []
    for name in (*FAULTS, END):
        seconds = list(chain.from_iterable(run.recoveries.get(name, ()) for run in runs))
        times = sum(run.faults[name] for run in runs) if name in FAULTS else len(runs)
        if not times:
            continue  # a fault of another setup
        rows.append((name, times, len(seconds), *_quantiles(seconds)))
    return (
        "Seconds from the end of a fault (servers and services started again) until all that was committed"
        " by then is in\nthe rows, under load. Those that the next fault came on top of are not measured.\n\n"
        + _table(("fault", "times", "measured", "p50", "p95", "worst"), rows)
    )


def _quantiles(seconds: Sequence[float]) -> tuple[str, ...]:
    """Median, 95th percentile and worst; nothing of nothing."""
    if not seconds:
        return ()
    p95 = sorted(seconds)[math.ceil(0.95 * len(seconds)) - 1]
    return tuple(f"{s:.1f}" for s in (statistics.median(seconds), p95, max(seconds)))


def _table(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [headings, ["---"] * len(headings)]
    lines += [[str(cell) for cell in row] + [""] * (len(headings) - len(row)) for row in rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)

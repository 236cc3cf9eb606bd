"""docs/load.md and its picture."""

import statistics
from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl

mpl.use("svg")
from matplotlib import pyplot as plt

from benchmarks.load.lag import Lag
from benchmarks.load.playing import Step
from benchmarks.load.visiting import Visit
from benchmarks.measuring import percentile
from benchmarks.report import table

DOCS = Path(__file__).parents[2] / "docs"
PAGE, PICTURE = DOCS / "load.md", DOCS / "pictures" / "load.svg"


def write(
    where: str, world: str, steps: Sequence[Step], visits: Sequence[Visit], lags: Sequence[Lag]
) -> None:
    _draw(visits, lags, steps)
    PAGE.write_text(
        "\n\n".join(
            [
                "# The start of a term",
                "Made by `make load`: made-up users of delivery partners sign in by a link, list, search, "
                "filter, open a person and download, on the whole system as `make run` starts it, while "
                "events trickle in. Everything, the users included, shares one machine.",
                f"{where}. {world}",
                "![Requests each second, their times, and how far the rows were behind](pictures/load.svg)",
                "## By number of users",
                _by_step(steps, visits, lags),
                "## By what they did",
                _by_kind(visits),
            ]
        )
        + "\n"
    )


def _by_step(steps: Sequence[Step], visits: Sequence[Visit], lags: Sequence[Lag]) -> str:
    rows = []
    for step in steps:
        here = [visit for visit in visits if step.begin <= visit.at < step.end]
        behind = [lag for lag in lags if step.begin <= lag.at < step.end]
        made = behind[-1].made - behind[0].made if len(behind) > 1 else 0
        rows.append(
            [
                str(step.users),
                f"{len(here) / (step.end - step.begin):.1f}",
                *_milliseconds([visit.seconds for visit in here]),
                str(sum(visit.failed and not visit.sent_away for visit in here)),
                str(sum(visit.sent_away for visit in here)),
                f"{made / (step.end - step.begin):.1f}",
                str(max((lag.events for lag in behind), default=0)),
                str(max((lag.due for lag in behind), default=0)),
            ]
        )
    head = ("users", "requests/s", "p50 ms", "p95 ms", "p99 ms", "errors", "sent away (503)", "events/s")
    return table((*head, "events behind, at most", "statuses due, at most"), rows)


def _by_kind(visits: Sequence[Visit]) -> str:
    kinds = sorted({visit.kind for visit in visits})
    rows = []
    for kind in kinds:
        here = [visit for visit in visits if visit.kind == kind]
        failed = sum(visit.failed for visit in here)
        rows.append([kind, f"{len(here):,}", *_milliseconds([v.seconds for v in here]), str(failed)])
    return table(("what", "times", "p50 ms", "p95 ms", "p99 ms", "errors, 503 included"), rows)


def _milliseconds(seconds: Sequence[float]) -> list[str]:
    if not seconds:
        return ["", "", ""]
    values = (statistics.median(seconds), percentile(seconds, 0.95), percentile(seconds, 0.99))
    return [f"{1000 * value:,.0f}" for value in values]


def _draw(visits: Sequence[Visit], lags: Sequence[Lag], steps: Sequence[Step]) -> None:
    buckets: dict[int, list[float]] = {}
    for visit in visits:
        buckets.setdefault(int(visit.at // 5), []).append(visit.seconds)
    times = sorted(buckets)
    moments = [5 * bucket for bucket in times]
    mpl.rcParams["svg.hashsalt"] = "the same names each time"
    figure, (rate, slow, behind) = plt.subplots(3, 1, sharex=True, figsize=(9, 7), layout="constrained")
    rate.plot(moments, [len(buckets[t]) / 5 for t in times], color="#1d70b8")
    rate.set_ylabel("requests/s")
    for share, colour in ((0.5, "#1d70b8"), (0.95, "#d4351c")):
        values = [1000 * percentile(buckets[t], share) for t in times]
        slow.plot(moments, values, color=colour, label=f"p{100 * share:.0f}")
    slow.set_ylabel("milliseconds")
    slow.legend()
    behind.plot([lag.at for lag in lags], [lag.events for lag in lags], color="#1d70b8", label="events")
    behind.plot([lag.at for lag in lags], [lag.due for lag in lags], color="#d4351c", label="statuses due")
    behind.set_ylabel("behind")
    behind.set_xlabel("seconds")
    behind.legend()
    for plot in (rate, slow, behind):
        plot.set_ylim(bottom=0)
        for step in steps:
            plot.axvline(step.begin, color="#b1b4b6", linewidth=1)
    for step in steps:
        rate.annotate(f"{step.users} users", (step.begin, 0), xytext=(3, 3), textcoords="offset points")
    PICTURE.parent.mkdir(exist_ok=True)
    figure.savefig(PICTURE, metadata={"Date": None})
    plt.close(figure)

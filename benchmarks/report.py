"""docs/benchmarks.md: one section for each benchmark, between markers, each replaced by its own run."""

import importlib.metadata
import os
import platform
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.measuring import Measured

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"
INTRODUCTION = """# Benchmarks

Made by `make bench`. Each section is replaced by the run that measures it; `benchmarks/README.md` says how
and why. All sides of a table ran in turns, in the same run, on the same servers. Ratios are the medians of
the ratios within each round, so they do not depend on the machine as much as the numbers do.
"""


def write_section(name: str, text: str) -> None:
    """Put the text between the section's markers; at the end when the page has none yet."""
    page = PAGE.read_text() if PAGE.exists() else INTRODUCTION
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    section = f"{begin}\n{text.strip()}\n{end}"
    pattern = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.DOTALL)
    page = pattern.sub(lambda _: section, page) if pattern.search(page) else f"{page.rstrip()}\n\n{section}\n"
    PAGE.write_text(page)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(cells) + " |" for cells in (head, ["---"] * len(head), *rows)]
    return "\n".join(lines)


def rates(measured: Measured, against: Sequence[str]) -> list[list[str]]:
    """A row for each side: min, median, max, and its ratio to each of `against`."""
    return [
        [
            side,
            *(f"{value:,.0f}" for value in (min(rounds), measured.median(side), max(rounds))),
            *("" if side == other else f"{measured.ratio(side, other):.2f}" for other in against),
        ]
        for side, rounds in measured.rounds.items()
    ]


def goal(what: str, reached: float, wanted: float, *, at_most: bool = False) -> list[str]:
    met = reached <= wanted if at_most else reached >= wanted
    return [what, f"{'≤' if at_most else '≥'} {wanted:g}", f"{reached:.2f}", "yes" if met else "**no**"]


def conditions(*packages: str) -> str:
    """When, on what and with what, in one paragraph."""
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in packages)
    return (
        f"{datetime.now(UTC):%Y-%m-%d}; {os.cpu_count()} cores, {platform.machine()}, load when it began "
        f"{load}; Python {platform.python_version()}, {versions}"
    )

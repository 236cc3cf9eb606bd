"""A file of events, one CloudEvent in JSON on each line, into the log, and from there into the rows.

Running it again takes up where it was cut off: what is there already is told from what is new.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import islice

import orjson
from pydantic import JsonValue
from sqlalchemy.ext.asyncio import AsyncEngine

from services.participants.derivation import derive_all_due
from services.participants.receiving import Outcome, receive

BATCH = 2_000
"""Lines in one transaction."""
BAD_LINES_TOLD = 1_000
"""All bad lines are parked; so many are told one by one."""


@dataclass(frozen=True, slots=True)
class BadLine:
    """number: counted from 1, empty lines included."""

    number: int
    reason: str


@dataclass(slots=True)
class BackfillReport:
    lines: int = 0
    accepted: int = 0
    duplicates: int = 0
    parked: int = 0
    derived: int = 0
    bad_lines: list[BadLine] = field(default_factory=list)


async def backfill(
    engine: AsyncEngine,
    lines: Iterable[str],
    *,
    derivation_batch: int,
    progress: Callable[[BackfillReport], None],
) -> BackfillReport:
    """Take all lines, then derive whom they concern. A bad line is told and parked; the others are in.

    Where the service has never run, it derives them when it does. progress: called after each batch, with
    the report so far. Memory does not grow with the file.
    """
    report = BackfillReport()
    numbered = enumerate(lines, 1)
    while batch := list(islice(numbered, BATCH)):
        report.lines += len(batch)
        full = [(number, line) for number, line in batch if line.strip()]
        answers = await receive(engine, [_parsed(line) for _, line in full])
        for (number, _), answer in zip(full, answers, strict=True):
            match answer.outcome:
                case Outcome.ACCEPTED:
                    report.accepted += 1
                case Outcome.DUPLICATE:
                    report.duplicates += 1
                case Outcome.PARKED:
                    report.parked += 1
                    if len(report.bad_lines) < BAD_LINES_TOLD:
                        report.bad_lines.append(BadLine(number, answer.reason or ""))
        progress(report)

    def derived(done: int) -> None:
        report.derived = done
        progress(report)

    await derive_all_due(engine.begin, derivation_batch, derived)
    return report


def _parsed(line: str) -> JsonValue:
    """The line's JSON, or the line itself: text is no event, and is parked as such."""
    try:
        value: JsonValue = orjson.loads(line)
    except orjson.JSONDecodeError:
        return line
    return value

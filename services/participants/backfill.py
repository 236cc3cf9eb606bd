"""A file of events, one CloudEvent in JSON on each line, into the log, and from there into the rows.

Running it again takes up where it was cut off: what is there already is told from what is new. Lines are read
and checked in other processes, while the database takes in those before them.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import NamedTuple

import orjson
from pydantic import JsonValue
from sqlalchemy.ext.asyncio import AsyncEngine

from services.participants.derivation import Means, derive_in_turn
from services.participants.receiving import Checked, Outcome, check, receive_checked

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


class _Portion(NamedTuple):
    """read: lines, empty ones included. full: the others, with their numbers."""

    read: int
    full: Sequence[tuple[int, str]]


async def backfill(
    engine: AsyncEngine,
    lines: Iterable[str],
    *,
    means: Means,
    progress: Callable[[BackfillReport], None],
) -> BackfillReport:
    """Take all lines, then derive whom they concern. A bad line is told and parked; the others are in.

    Where the service has never run, it derives them when it does. progress: called after each batch, with
    the report so far. Memory does not grow with the file.
    """
    report = BackfillReport()
    async for portion, checked in _checked(lines, means):
        answers = await receive_checked(engine, checked, partial(_sent, portion))
        report.lines += portion.read
        for (number, _), answer in zip(portion.full, answers, strict=True):
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

    await derive_in_turn(engine, means, derived)
    return report


async def _checked(lines: Iterable[str], means: Means) -> AsyncIterator[tuple[_Portion, list[Checked]]]:
    """Portions in order, with some being checked ahead of the one that is taken in."""
    loop = asyncio.get_running_loop()
    under_way: deque[tuple[_Portion, asyncio.Future[list[Checked]]]] = deque()
    for portion in _portions(lines):
        text = [line for _, line in portion.full]
        under_way.append((portion, loop.run_in_executor(means.executor, check_lines, text)))
        if len(under_way) > means.ahead:
            first, checked = under_way.popleft()
            yield first, await checked
    for portion, checked in under_way:
        yield portion, await checked


def _portions(lines: Iterable[str]) -> Iterator[_Portion]:
    numbered = enumerate(lines, 1)
    while batch := list(islice(numbered, BATCH)):
        yield _Portion(len(batch), [(number, line) for number, line in batch if line.strip()])


def check_lines(lines: Sequence[str]) -> list[Checked]:
    return [check(_parsed(line)) for line in lines]


def _sent(portion: _Portion, place: int) -> JsonValue:
    return _parsed(portion.full[place][1])


def _parsed(line: str) -> JsonValue:
    """The line's JSON, or the line itself: text is no event, and is parked as such."""
    try:
        value: JsonValue = orjson.loads(line)
    except orjson.JSONDecodeError:
        return line
    return value

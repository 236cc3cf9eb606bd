"""The one judge: fold the publisher's log, and compare with every row and every effect."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.faults.rehearsal import ACKNOWLEDGED, EMAIL_EVERY, EMAILS

LOG = text("""
    SELECT p.position, e.event_id::text AS event_id, e.stream, e.version,
           (e.data->>'number')::int AS number, (e.data->>'secret')::bool AS secret
    FROM events e LEFT JOIN event_positions p ON p.event = e.id
    ORDER BY p.position
""")
SEEN = text("SELECT event_id, subject, number, position FROM seen ORDER BY id")
TOTALS = text("SELECT subject, events, sum FROM totals")
CHECKPOINTS = text("SELECT position FROM checkpoints ORDER BY partition")
WORK = text("SELECT key, state, extract(epoch FROM settled_at)::float8 AS settled_at FROM work")
PARKED = text("SELECT count(*) FROM parked_events")

Totals = Mapping[str, tuple[int, int]]
"""Of each subject: how many events, and the sum of their numbers."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """How many of each. repeated: emails sent again because the first sender died (or lost its lease)
    before it could record that they were sent; nobody can tell these apart, so they are only counted."""

    events: int
    lost: int
    doubled: int
    emails: int
    emails_missing: int
    emails_after_recorded: int
    emails_repeated: int
    wrong: list[str] = field(default_factory=list)
    """What is not as it must be, in words. Empty: every promise was kept."""
    totals: Totals = field(default_factory=dict)


async def judge(publisher: AsyncEngine, reader: AsyncEngine, folder: Path) -> Verdict:
    """Call it when the load has ended and the lag is zero."""
    async with publisher.connect() as connection:
        log = (await connection.execute(LOG)).all()
    async with reader.connect() as connection:
        seen = (await connection.execute(SEEN)).all()
        totals: Totals = {r.subject: (r.events, r.sum) for r in await connection.execute(TOTALS)}
        checkpoints = list((await connection.scalars(CHECKPOINTS)).all())
        work = {r.key: r for r in await connection.execute(WORK)}
        parked = await connection.scalar(PARKED) or 0
    published = [e for e in log if not e.secret]
    times = Counter(r.event_id for r in seen)
    lost = [e.event_id for e in published if e.event_id not in times]
    doubled = [event_id for event_id, count in times.items() if count > 1]
    acknowledged = {line[0] for line in _lines(folder / ACKNOWLEDGED)}
    unkept = acknowledged - {e.event_id for e in log}
    sent: dict[str, list[float]] = defaultdict(list)
    for key, at, *_ in _lines(folder / EMAILS):
        sent[key].append(float(at))
    asked = {e.event_id for e in published if e.number % EMAIL_EVERY == 0}
    missing = asked - sent.keys()
    late = [k for k, at in sent.items() if k in work and work[k].settled_at and max(at) > work[k].settled_at]
    said = {
        "acknowledged events are not in the log": len(unkept),
        "events were lost on the way": len(lost),
        "events were applied twice": len(doubled),
        "rows are of no published event": len(times.keys() - {e.event_id for e in published}),
        "events are parked": parked,
        "emails are missing": len(missing),
        "emails were sent after they had been recorded as sent": len(late),
        "emails were sent that nobody asked for": len(sent.keys() - asked),
        "jobs are not done": sum(1 for job in work.values() if job.state != "done"),
        "positions have gaps": int([e.position for e in log] != list(range(1, len(log) + 1))),
        "streams are out of order in the log": int(not _in_order((e.stream, e.version) for e in log)),
        "rows of a subject are out of order": int(not _in_order((r.subject, r.position) for r in seen)),
        "the totals are not those of the fold": int(totals != _fold(published)),
        "the checkpoints are not at the head": int(set(checkpoints) != {len(log)}),
    }
    return Verdict(
        events=len(log),
        lost=len(lost) + len(unkept),
        doubled=len(doubled),
        emails=len(asked),
        emails_missing=len(missing),
        emails_after_recorded=len(late),
        emails_repeated=sum(len(at) - 1 for at in sent.values()),
        wrong=[f"{what}: {count}" for what, count in said.items() if count],
        totals=totals,
    )


def _fold(published: Iterable[object]) -> Totals:
    totals: dict[str, tuple[int, int]] = {}
    for event in published:
        events, total = totals.get(event.stream, (0, 0))  # type: ignore[attr-defined]
        totals[event.stream] = (events + 1, total + event.number)  # type: ignore[attr-defined]
    return totals


def _in_order(numbers: Iterable[tuple[str, int]]) -> bool:
    last: dict[str, int] = {}
    for subject, number in numbers:
        if number <= last.get(subject, 0):
            return False
        last[subject] = number
    return True


def _lines(path: Path) -> list[list[str]]:
    return [line.split() for line in path.read_text().splitlines()] if path.exists() else []

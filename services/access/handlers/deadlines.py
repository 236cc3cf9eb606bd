"""Requests that wait are reminded of, and expire.

Each deadline is a job of the work queue with the moment at which it is due, named after the request, since
when it waits, and what is due: asked for as often as one likes, it is there once. So a restart loses none,
any number of processes may look, and the request's own stream decides: one reminder for each wait.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select, text

from services.access.domain.deadlines import Deadlines, Due, IsHoliday, due_moments
from services.access.domain.events import Event, RequestExpired, RequestReminded
from services.access.domain.request import Expire, Remind, RequestState
from services.access.handlers.deciding import REQUEST, carry_out, deciding
from services.access.tables import requests
from services.access.waiting_emails import tell_expired, tell_reminded
from shared.clock import Clock
from shared.event_store import EventStore, Transaction
from shared.work_queue import Handler, Job, enqueue

DEADLINE: Final = "request-deadline"
OPEN: Final = [state.value for state in RequestState if state.is_open]
ASKED_FOR: Final = text("SELECT key FROM work WHERE kind = :kind AND key = ANY(:keys)")


async def set_deadlines(store: EventStore[Event], deadlines: Deadlines, is_holiday: IsHoliday) -> int:
    """Ask for the deadlines of every request that waits, save those that are asked for. Returns how many."""
    query = select(requests.c.request_id, requests.c.state, requests.c.waiting_since)
    async with store.engine.begin() as connection:
        waiting = (await connection.execute(query.where(requests.c.state.in_(OPEN)))).all()
        jobs = {key: (data, at) for row in waiting for key, data, at in _jobs(row, deadlines, is_holiday)}
        known = await connection.scalars(ASKED_FOR, {"kind": DEADLINE, "keys": list(jobs)})
        new = jobs.keys() - set(known)
        for key in new:
            data, at = jobs[key]
            await enqueue(connection, DEADLINE, key, data, due_at=at)
    return len(new)


def _jobs(
    row: Any, deadlines: Deadlines, is_holiday: IsHoliday
) -> Sequence[tuple[str, dict[str, str], datetime]]:
    since = row.waiting_since.isoformat()
    moments = due_moments(deadlines[RequestState(row.state)], row.waiting_since, is_holiday)
    return [
        (
            f"{row.request_id}:{since}:{due.value}",
            {"request_id": str(row.request_id), "since": since, "due": due.value},
            at,
        )
        for due, at in moments.items()
    ]


class DeadlineJobs:
    def __init__(self, store: EventStore[Event], clock: Clock) -> None:
        self._store = store
        self._clock = clock

    @property
    def handlers(self) -> dict[str, Handler]:
        return {DEADLINE: self._due}

    async def _due(self, job: Job) -> None:
        request_id, since = UUID(job.data["request_id"]), datetime.fromisoformat(job.data["since"])
        at = self._clock()
        command = Remind(since, at) if job.data["due"] == Due.REMINDER.value else Expire(since, at)
        await time_is_up(self._store, request_id, command)


async def time_is_up(store: EventStore[Event], request_id: UUID, command: Remind | Expire) -> bool:
    """Return whether anything was still to be done. The emails are asked for in the same transaction."""

    async def act(transaction: Transaction[Event]) -> bool:
        connection = transaction.connection
        recorded = await carry_out(transaction, REQUEST, f"request-{request_id}", command, by=None)
        for one in recorded:
            match one.event:
                case RequestReminded(step=step):
                    query = select(requests).where(requests.c.request_id == request_id)
                    row = (await connection.execute(query)).one()
                    await tell_reminded(connection, row, step, command.since)
                case RequestExpired(at=at):
                    await tell_expired(connection, request_id, at)
        return bool(recorded)

    return await deciding(store, act)

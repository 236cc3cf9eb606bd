"""The queue: a table. A lease, not an open transaction, keeps a job while somebody works on it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.tracing import Trace, current_trace

ENQUEUE = text("""
    INSERT INTO work (kind, key, data, trace, due_at)
    VALUES (:kind, :key, CAST(:data AS jsonb), CAST(:trace AS jsonb), coalesce(:due_at, clock_timestamp()))
    ON CONFLICT (kind, key) DO NOTHING
""")
CLAIM = text("""
    UPDATE work SET
        lease = :lease,
        tries = tries + 1,
        due_at = clock_timestamp() + make_interval(secs => CAST(:lease_seconds AS float8) * (tries + 1))
    WHERE id = ANY(ARRAY(
        SELECT id FROM work
        WHERE state = 'due' AND due_at <= clock_timestamp() AND kind = ANY(:kinds) AND tries < :max_tries
        ORDER BY due_at
        LIMIT :limit
        FOR UPDATE SKIP LOCKED
    ))
    RETURNING id, kind, key, data, trace, tries
""")
"""A leased job is due again when the lease is over: whoever held it is taken for dead. Each try's lease is
longer by one, so that a job which kills its worker each time comes back later and later.

ARRAY, because it is evaluated once: `IN (SELECT …)` may be run again for each row, and then takes more jobs
than the limit."""
PARK_USED_UP = text("""
    UPDATE work SET
        state = 'parked',
        lease = NULL,
        last_error = :reason,
        settled_at = clock_timestamp()
    WHERE id = ANY(ARRAY(
        SELECT id FROM work
        WHERE state = 'due' AND due_at <= clock_timestamp() AND kind = ANY(:kinds) AND tries >= :max_tries
        FOR UPDATE SKIP LOCKED
    ))
    RETURNING id, kind
""")
EXTEND = text("""
    UPDATE work SET due_at = greatest(due_at, clock_timestamp() + make_interval(secs => :lease_seconds))
    WHERE id = :id AND lease = :lease AND state = 'due'
""")
SETTLE = text("""
    UPDATE work SET
        state = CAST(:state AS text),
        lease = NULL,
        last_error = :error,
        settled_at = clock_timestamp(),
        data = CASE WHEN CAST(:state AS text) = 'done' THEN '{}'::jsonb ELSE data END
    WHERE id = :id AND lease = :lease AND state = 'due'
""")
POSTPONE = text("""
    UPDATE work SET
        lease = NULL,
        last_error = :error,
        due_at = clock_timestamp() + make_interval(secs => :seconds)
    WHERE id = :id AND lease = :lease AND state = 'due'
""")
GIVE_BACK = text("""
    UPDATE work SET lease = NULL, tries = tries - 1, due_at = clock_timestamp()
    WHERE id = :id AND lease = :lease AND state = 'due'
""")


@dataclass(frozen=True, slots=True)
class Job:
    """data: IDs and what else the handler needs; no secret. tries counts this one."""

    id: int
    kind: str
    key: str
    data: dict[str, Any]
    trace: Trace
    tries: int
    lease: UUID


async def enqueue(
    connection: AsyncConnection, kind: str, key: str, data: dict[str, Any], due_at: datetime | None = None
) -> None:
    """Ask for work in the transaction at hand. The same kind and key is asked for once, ever."""
    await connection.execute(
        ENQUEUE,
        {
            "kind": kind,
            "key": key,
            "data": orjson.dumps(data).decode(),
            "trace": orjson.dumps(current_trace()).decode(),
            "due_at": due_at,
        },
    )


async def claim(
    connection: AsyncConnection, kinds: list[str], limit: int, lease_seconds: float, max_tries: int
) -> list[Job]:
    """Take due jobs for `lease_seconds` at least, the longest due first. Others skip them meanwhile.

    A job that was tried `max_tries` times is not taken.
    """
    lease = uuid4()
    rows = await connection.execute(
        CLAIM,
        {
            "lease": lease,
            "lease_seconds": lease_seconds,
            "kinds": kinds,
            "limit": limit,
            "max_tries": max_tries,
        },
    )
    return [Job(row.id, row.kind, row.key, row.data, Trace(**row.trace), row.tries, lease) for row in rows]


async def park_used_up(
    connection: AsyncConnection, kinds: list[str], max_tries: int, reason: str
) -> list[tuple[int, str]]:
    """Park the jobs whose last try's lease is over: nobody is left to say how it ended.

    Returns (id, kind) of each.
    """
    rows = await connection.execute(PARK_USED_UP, {"kinds": kinds, "max_tries": max_tries, "reason": reason})
    return [(row.id, row.kind) for row in rows]


async def extend(connection: AsyncConnection, job: Job, lease_seconds: float) -> bool:
    """Keep a job longer. False: the lease was over and somebody else has it."""
    done = await connection.execute(
        EXTEND, {"id": job.id, "lease": job.lease, "lease_seconds": lease_seconds}
    )
    return done.rowcount == 1


async def settle(connection: AsyncConnection, job: Job, state: str, error: str | None = None) -> bool:
    """`done` or `parked`. False: the lease was over and somebody else has it.

    What is done needs its data no more, and data may tell of people: it is forgotten.
    """
    done = await connection.execute(
        SETTLE, {"id": job.id, "lease": job.lease, "state": state, "error": error}
    )
    return done.rowcount == 1


async def postpone(connection: AsyncConnection, job: Job, seconds: float, error: str) -> bool:
    """Try again later. False: the lease was over and somebody else has it."""
    done = await connection.execute(
        POSTPONE, {"id": job.id, "lease": job.lease, "seconds": seconds, "error": error}
    )
    return done.rowcount == 1


async def give_back(connection: AsyncConnection, job: Job) -> bool:
    """Let others have it at once, as if this try had not been. False: the lease was over already."""
    done = await connection.execute(GIVE_BACK, {"id": job.id, "lease": job.lease})
    return done.rowcount == 1

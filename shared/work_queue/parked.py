"""Jobs that were given up: seen, tried again, or discarded by an operator."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.parked_actions import Reason, record_action

LIST = text("""
    SELECT id, kind, key, data, trace, tries, last_error AS reason, created_at, settled_at AS parked_at
    FROM work WHERE state = 'parked' ORDER BY settled_at, id
""")
RETRY = text("""
    UPDATE work SET state = 'due', tries = 0, due_at = clock_timestamp(), settled_at = NULL
    WHERE id = :id AND state = 'parked'
""")
DISCARD = text("""
    UPDATE work SET state = 'discarded', settled_at = clock_timestamp(), data = '{}'::jsonb
    WHERE id = :id AND state = 'parked'
""")


@dataclass(frozen=True, slots=True)
class ParkedJob:
    """data: as it was asked for, personal data included if there was some."""

    id: int
    kind: str
    key: str
    data: dict[str, Any]
    trace: dict[str, str | None]
    tries: int
    reason: str
    created_at: datetime
    parked_at: datetime


async def parked_jobs(connection: AsyncConnection) -> Sequence[ParkedJob]:
    """Those that wait for an operator, the longest parked first."""
    return [ParkedJob(**row._mapping) for row in await connection.execute(LIST)]


async def retry_job(connection: AsyncConnection, number: int, reason: Reason) -> bool:
    """Make it due now, as if it had never been tried. False: it is not parked (any more)."""
    if (await connection.execute(RETRY, {"id": number})).rowcount != 1:
        return False
    await record_action(connection, "job", number, "retried", reason)
    return True


async def discard_job(connection: AsyncConnection, number: int, reason: Reason) -> bool:
    """Give it up for good. Its data is forgotten, as that of a job that is done. False: it is not parked."""
    if (await connection.execute(DISCARD, {"id": number})).rowcount != 1:
        return False
    await record_action(connection, "job", number, "discarded", reason)
    return True

"""What has served its purpose goes after a while: jobs that are done, the content of settled parked events.

That they were there stays on record where it is one: `parked_actions`, and the row of a parked event.
"""

from datetime import timedelta
from typing import Final

import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

log = structlog.get_logger(__name__)

LOOK_SECONDS: Final = 3600.0
AT_ONCE: Final = 5_000
"""Rows in one transaction: short ones, so that nobody waits."""

JOBS = text("""
    DELETE FROM work WHERE id = ANY(ARRAY(
        SELECT id FROM work
        WHERE state IN ('done', 'discarded') AND settled_at < clock_timestamp() - CAST(:age AS interval)
        LIMIT :at_once
    ))
""")
PARKED = text("""
    UPDATE parked_events SET event = '{}' WHERE id = ANY(ARRAY(
        SELECT id FROM parked_events
        WHERE settled_at < clock_timestamp() - CAST(:age AS interval) AND event::text <> '{}' LIMIT :at_once
    ))
""")


async def forget_what_is_settled(engine: AsyncEngine, age: timedelta) -> int:
    """Returns how many rows. The key of a job that is forgotten may be asked for again."""
    forgotten = 0
    for statement in (JOBS, PARKED):
        count = AT_ONCE
        while count == AT_ONCE:
            async with engine.begin() as connection:
                done = await connection.execute(statement, {"age": age, "at_once": AT_ONCE})
            count = done.rowcount
            forgotten += count
    if forgotten:
        log.info("settled_forgotten", rows=forgotten)
    return forgotten

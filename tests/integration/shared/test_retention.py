"""What is settled goes when its time is over; what waits, and what is on record, stays."""

from datetime import timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.retention import forget_what_is_settled
from shared.work_queue import enqueue
from tests.integration.shared.test_backlog import change
from tests.integration.shared.test_reading_any_text import an_event, park_one


async def test_done_jobs_and_the_content_of_settled_events_are_forgotten_after_their_time(
    engine: AsyncEngine,
) -> None:
    async with engine.begin() as connection:
        for key in ("done", "done lately", "discarded", "parked", "due"):
            await enqueue(connection, "kept", key, {})
    await change(engine, "UPDATE work SET created_at = now() - interval '91 days'")
    await change(
        engine,
        "UPDATE work SET state = key, settled_at = now() - interval '91 days'"
        " WHERE key IN ('done', 'discarded', 'parked')",
    )
    await change(engine, "UPDATE work SET state = 'done', settled_at = now() WHERE key = 'done lately'")
    for number in (1, 2, 3):
        await park_one(engine, an_event(number), projection="kept")
    await change(
        engine,
        "UPDATE parked_events SET settled_how = 'discarded',"
        " settled_at = now() - make_interval(days => CASE position WHEN 1 THEN 91 ELSE 0 END)"
        " WHERE position IN (1, 2)",
    )

    assert await forget_what_is_settled(engine, timedelta(days=90)) == 3
    assert await forget_what_is_settled(engine, timedelta(days=90)) == 0
    async with engine.connect() as connection:
        keys = set(await connection.scalars(text("SELECT key FROM work")))
        parked = (
            await connection.execute(
                text("SELECT position, event::text = '{}' FROM parked_events ORDER BY position")
            )
        ).all()
    assert keys == {"done lately", "parked", "due"}
    assert [tuple(row) for row in parked] == [(1, True), (2, False), (3, False)]

"""The gauges tell what waits, by the database, and 0 when it waits no more."""

import pytest
from prometheus_client import REGISTRY
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.backlog import Backlog
from shared.work_queue import enqueue
from tests.integration.shared.test_reading_any_text import an_event, park_one


def value(name: str, **labels: str) -> float | None:
    return REGISTRY.get_sample_value(f"checkdata_backlog_{name}", labels)


async def test_parked_events_are_told_by_projection_with_the_age_of_the_oldest(engine: AsyncEngine) -> None:
    backlog = Backlog(engine, "plain")
    await backlog.measure()
    assert value("parked_events", projection="measured") is None
    await park_one(engine, an_event(1), projection="measured")
    await park_one(engine, an_event(2), projection="measured")
    await change(
        engine, "UPDATE parked_events SET parked_at = parked_at - interval '1 hour' WHERE position = 1"
    )
    await backlog.measure()
    assert value("parked_events", projection="measured") == 2
    assert value("oldest_parked_event_seconds", projection="measured") == pytest.approx(3600, abs=60)
    await change(engine, "UPDATE parked_events SET settled_at = now(), settled_how = 'discarded'")
    await backlog.measure()
    assert value("parked_events", projection="measured") == 0
    assert value("oldest_parked_event_seconds", projection="measured") == 0


async def test_jobs_are_told_by_kind_with_the_age_of_the_oldest(engine: AsyncEngine) -> None:
    backlog = Backlog(engine, "plain")
    async with engine.begin() as connection:
        tomorrow = await connection.scalar(text("SELECT now() + interval '1 day'"))
        for key in ("waits", "parked", "done", "at work"):
            await enqueue(connection, "measured", key, {})
        await enqueue(connection, "measured", "of tomorrow", {}, due_at=tomorrow)
    await change(engine, "UPDATE work SET created_at = now() - interval '2 hours' WHERE key = 'waits'")
    await change(
        engine, "UPDATE work SET tries = 1, due_at = now() + interval '1 hour' WHERE key = 'at work'"
    )
    await change(engine, "UPDATE work SET state = 'done', settled_at = now() WHERE key = 'done'")
    await change(
        engine,
        "UPDATE work SET state = 'parked', settled_at = now() - interval '3 hours' WHERE key = 'parked'",
    )
    await backlog.measure()
    assert value("due_jobs", kind="measured") == 2
    assert value("oldest_due_job_seconds", kind="measured") == pytest.approx(7200, abs=60)
    assert value("parked_jobs", kind="measured") == 1
    assert value("oldest_parked_job_seconds", kind="measured") == pytest.approx(10800, abs=60)
    await change(engine, "UPDATE work SET state = 'done', settled_at = now() WHERE key <> 'of tomorrow'")
    await backlog.measure()
    assert value("due_jobs", kind="measured") == 0
    assert value("parked_jobs", kind="measured") == 0


async def change(engine: AsyncEngine, statement: str) -> None:
    async with engine.begin() as connection:
        await connection.execute(text(statement))

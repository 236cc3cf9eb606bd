"""How far a reader is behind, in seconds: known while it reads, while nothing happens, and while it hangs."""

import time

import pytest
from prometheus_client import REGISTRY
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.backlog import Backlog
from shared.bus import projection
from tests.integration.shared.test_bus import Bus, bus, counted, eventually, kind

__all__ = ["bus", "kind"]


def current_at(partition: int = 0) -> float:
    labels = {"projection": "rows", "partition": str(partition)}
    return REGISTRY.get_sample_value("checkdata_projection_current_timestamp_seconds", labels) or 0.0


async def test_a_reader_that_hears_nothing_is_current_as_long_as_the_feed_says_so(
    bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(projection, "IDLE_SECONDS", 0.2)
    began = time.time()
    async with bus.relaying(), bus.projecting():
        await bus.append(*counted(0, 20))
        await bus.has_rows(20)

        async def current() -> bool:
            return all(current_at(p) > began + 1 for p in range(bus.partitions))

        await eventually(current, 10)


async def test_the_lag_of_a_reader_that_can_read_nothing_grows(
    bus: Bus, engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(projection, "IDLE_SECONDS", 0.1)
    async with bus.relaying(), bus.projecting():
        await bus.append(*counted(0, 20))
        await bus.has_rows(20)
    bus.feed.away = True
    await bus.redis.flushdb()
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE checkpoints SET updated_at = now() - interval '1 hour'"))
    async with bus.projecting():

        async def told() -> bool:
            return all(
                time.time() - current_at(p) == pytest.approx(3600, abs=60) for p in range(bus.partitions)
            )

        await eventually(told, 10)
        bus.feed.away = False

        async def current() -> bool:
            return all(time.time() - current_at(p) < 5 for p in range(bus.partitions))

        await eventually(current, 10)


async def test_what_has_no_position_yet_is_told_with_its_age(bus: Bus) -> None:
    def value(name: str) -> float | None:
        return REGISTRY.get_sample_value(f"checkdata_backlog_{name}", {"publisher": "measured"})

    backlog = Backlog(bus.engine, "measured")
    await backlog.measure()
    assert value("unpublished_events") == 0
    await bus.append(*counted(0, 3))
    await backlog.measure()
    assert value("unpublished_events") == 3
    assert 0 < (value("oldest_unpublished_event_seconds") or 0) < 60
    async with bus.relaying():

        async def numbered() -> bool:
            await backlog.measure()
            return value("unpublished_events") == 0

        await eventually(numbered)
    assert value("oldest_unpublished_event_seconds") == 0

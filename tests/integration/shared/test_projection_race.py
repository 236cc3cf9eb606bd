"""A commit whose answer got lost: the checkpoint has moved, and the runner does not know."""

import asyncio

from sqlalchemy import text

from tests.integration.shared.test_bus import Bus, bus, counted, eventually, kind

__all__ = ["bus", "kind"]


async def test_a_runner_whose_checkpoint_was_moved_goes_on_while_news_keep_coming(bus: Bus) -> None:
    """It must not wait for the bus to be silent: under load it never is."""
    async with bus.relaying(), bus.projecting():
        await bus.append(*counted(0, 20))
        await bus.has_rows(20)
        await asyncio.sleep(1)  # what the feed had to say at the start is over: from now on the bus speaks
        async with bus.engine.begin() as connection:
            await connection.execute(text("UPDATE checkpoints SET position = position + 1"))
        start = 20

        async def news_arrive() -> bool:
            nonlocal start
            await bus.append(*counted(start, 5))
            start += 5
            return len(await bus.rows()) > 60

        await eventually(news_arrive, seconds=8)

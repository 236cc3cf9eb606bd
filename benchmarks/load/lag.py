"""How far the rows are behind what happened in Manage ECTs, looked at each second."""

import asyncio
from dataclasses import dataclass

from sqlalchemy import text

from benchmarks.load.visiting import Log
from services.cli.opening import opened

MADE = text("SELECT count(*) FROM events")
READ = text("SELECT coalesce(sum(position), 0) FROM checkpoints WHERE projection = 'participants'")
DUE = text("SELECT count(*) FROM derivations_due")


@dataclass(frozen=True, slots=True)
class Lag:
    """events: not read yet. due: participants whose status is to be derived anew. made: events in all."""

    at: float
    events: int
    due: int
    made: int


async def watch(log: Log, into: list[Lag]) -> None:
    """Never returns; is cancelled."""
    async with opened("manage_ects") as upstream, opened("participants") as participants:
        while True:
            async with upstream.engine.connect() as connection:
                made = int(await connection.scalar(MADE) or 0)
            async with participants.engine.connect() as connection:
                read = int(await connection.scalar(READ) or 0)
                due = int(await connection.scalar(DUE) or 0)
            into.append(Lag(log.now(), max(0, made - read), due, made))
            await asyncio.sleep(1)

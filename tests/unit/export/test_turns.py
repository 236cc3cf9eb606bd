"""Organisations take turns, and nobody's place is lost with who held it."""

import asyncio
from contextlib import AsyncExitStack
from uuid import UUID

from services.export.turns import Turns

NORTH, SOUTH = UUID(int=1), UUID(int=2)


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_one_organisation_leaves_room_for_another() -> None:
    turns, begun = Turns(places=3, each=2), []

    async def write(organisation: UUID) -> None:
        async with turns.taking(organisation):
            begun.append(organisation)
            await asyncio.Event().wait()

    tasks = [asyncio.create_task(write(NORTH)) for _ in range(5)]
    await settled()
    tasks.append(asyncio.create_task(write(SOUTH)))
    await settled()
    assert begun == [NORTH, NORTH, SOUTH]
    tasks[0].cancel()  # the place of who is cancelled is given on
    await settled()
    assert begun == [NORTH, NORTH, SOUTH, NORTH]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    async with AsyncExitStack() as all_places:
        for organisation in (NORTH, NORTH, SOUTH):
            await asyncio.wait_for(all_places.enter_async_context(turns.taking(organisation)), 1)


async def test_who_writes_least_is_next() -> None:
    turns, begun = Turns(places=2, each=2), []

    async def write(organisation: UUID) -> None:
        async with turns.taking(organisation):
            begun.append(organisation)

    async with turns.taking(NORTH):
        async with turns.taking(NORTH):
            tasks = [asyncio.create_task(write(one)) for one in (NORTH, NORTH, SOUTH)]
            await settled()
        await asyncio.gather(*tasks)
    assert begun[0] == SOUTH


async def test_who_is_cancelled_while_waiting_is_forgotten() -> None:
    turns = Turns(places=1, each=1)

    async def write() -> None:
        async with turns.taking(NORTH):
            pass

    async with turns.taking(NORTH):
        waiting = asyncio.create_task(write())
        await settled()
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
    await asyncio.wait_for(write(), 1)

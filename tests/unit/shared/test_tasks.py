"""Tasks that are stopped have ended: also those that lose a cancellation, or are stopped by one of them."""

import asyncio
import time

import anyio
import pytest

from shared import tasks
from shared.tasks import stop_tasks


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "BETWEEN_SECONDS", 0.05)


async def lose(cancellations: int) -> None:
    """Go on after so many, as what waits for redis-py on Python 3.11 may."""
    while True:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            if cancellations == 0:
                raise
            cancellations -= 1


async def stop_in_turn(inner: asyncio.Task[None]) -> None:
    try:
        await asyncio.wait([inner])
    finally:
        await stop_tasks([inner])


async def begun(task: asyncio.Task[None]) -> asyncio.Task[None]:
    await asyncio.sleep(0)
    return task


async def end(task: asyncio.Task[None]) -> None:
    while not task.done():
        task.cancel()
        await asyncio.sleep(0)


async def test_a_task_that_loses_a_cancellation_is_stopped() -> None:
    task = await begun(asyncio.create_task(lose(1)))
    await stop_tasks([task])
    assert task.cancelled()


async def test_a_task_that_does_not_take_its_cancellation_is_given_up() -> None:
    task = await begun(asyncio.create_task(lose(tasks.TRIES)))
    started = time.monotonic()
    await stop_tasks([task])
    assert time.monotonic() - started < 5
    assert not task.done()
    await end(task)


@pytest.mark.parametrize("lost", range(4))
async def test_who_stops_tasks_and_is_stopped_leaves_none_behind(lost: int) -> None:
    """Both cancel each so many seconds: the outer one must not break off the inner one's stopping."""
    inner = await begun(asyncio.create_task(lose(lost)))
    outer = await begun(asyncio.create_task(stop_in_turn(inner)))
    await stop_tasks([outer])
    left_behind = not inner.done()
    await end(inner)
    assert outer.cancelled()
    assert not left_behind


async def test_who_is_cancelled_in_every_round_of_the_loop_lets_its_tasks_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As anyio does to what streams a file when its reader went away."""
    monkeypatch.setattr(tasks, "BETWEEN_SECONDS", 10.0)
    ended = False

    async def end_with_care() -> None:
        nonlocal ended
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0.05)  # many rounds
            ended = True

    task = await begun(asyncio.create_task(end_with_care()))
    async with anyio.create_task_group() as group:
        group.start_soon(stop_in_turn, task)
        await asyncio.sleep(0)
        group.cancel_scope.cancel()
    assert task.cancelled()
    assert ended, "it was cancelled again while it ended"

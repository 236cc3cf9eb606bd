"""Stopping background tasks for good."""

import asyncio
from collections.abc import Collection
from typing import Any

import structlog

log = structlog.get_logger(__name__)

failed = False
"""Whether a background task of this process ended by a bug; then the process says so when it ends."""

TRIES = 5
BETWEEN_SECONDS = 1.0


async def stop_tasks(tasks: Collection[asyncio.Task[Any]]) -> None:
    """Cancel tasks and wait for their end; cancel again each second, five times at most.

    Once is not enough: on Python 3.11 `asyncio.wait_for`, which redis-py uses, may swallow a cancellation
    that meets its result. Who is cancelled meanwhile does not leave its own behind: it raises the
    cancellation when they have ended. It may be cancelled any number of times, by one who stops it likewise
    or by anyio, which cancels in every round of the loop: that takes none of the seconds away.
    """
    clock = asyncio.get_running_loop().time
    unfinished = {task for task in tasks if not task.done()}
    cancelled: asyncio.CancelledError | None = None
    for _ in range(TRIES):
        for task in unfinished:
            task.cancel()
        again_at = clock() + BETWEEN_SECONDS
        while unfinished and (left := again_at - clock()) > 0:
            try:
                await asyncio.wait(unfinished, timeout=left)
            except asyncio.CancelledError as error:
                cancelled = error
            unfinished = {task for task in unfinished if not task.done()}
    for task in unfinished:
        log.error("task_did_not_stop", task=task.get_name())
    if cancelled:
        raise cancelled

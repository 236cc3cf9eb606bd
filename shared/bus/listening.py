"""Hears what is new on a bus stream: for what a process keeps in memory, and can do without.

Nothing is promised. Who has to know everything is a projection (projection.py); who listens hears at once, in
every process, and nothing while Redis is away.
"""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import structlog
from pydantic import ValidationError

from shared.bus.client import BUS_AWAY, Client
from shared.bus.stream import BODY
from shared.contracts.envelope import CloudEvent

log = structlog.get_logger(__name__)

AGAIN_SECONDS = 1.0
BLOCK_MILLISECONDS = 2_000
AT_ONCE = 500


class _Entry(NamedTuple):
    id: str
    event: CloudEvent


class _Astray(Exception):
    """The stream holds what no relay wrote: it will begin anew, with lower IDs than this one's."""


async def listen(redis: Client, key: str, back: timedelta, hear: Callable[[CloudEvent], None]) -> None:
    """Never returns. hear: called for each event, in order, first for those that happened so short ago."""
    while True:
        try:
            await _listen(redis, key, back, hear)
        except (*BUS_AWAY, _Astray) as error:
            log.warning("not_listening", stream=key, error=type(error).__name__)
        await asyncio.sleep(AGAIN_SECONDS)


async def _listen(redis: Client, key: str, back: timedelta, hear: Callable[[CloudEvent], None]) -> None:
    last = "0-0"
    for entry in await _since(redis, key, datetime.now(UTC) - back):
        last = entry.id
        hear(entry.event)
    while True:
        answer: Any = await redis.xread({key: last}, count=AT_ONCE, block=BLOCK_MILLISECONDS)
        for _, entries in answer or ():
            for raw in entries:
                entry = _read(raw)
                last = entry.id
                hear(entry.event)


async def _since(redis: Client, key: str, moment: datetime) -> list[_Entry]:
    """The entries of events that happened since then, and the one before them, oldest first."""
    found: list[_Entry] = []
    end = "+"
    while entries := await redis.xrevrange(key, max=end, count=AT_ONCE):
        for raw in entries:
            entry = _read(raw)
            found.append(entry)
            if entry.event.time < moment:
                return found[::-1]
        end = f"({found[-1].id}"
    return found[::-1]


def _read(raw: Any) -> _Entry:
    entry_id, fields = raw
    try:
        return _Entry(entry_id.decode(), CloudEvent.model_validate_json(fields[BODY.encode()]))
    except (KeyError, ValidationError):
        raise _Astray from None

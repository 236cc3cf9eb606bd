"""A publisher's stream in Redis, as its relay writes it: entries go behind the one that is known to be last.

The comparison and the entries are one script, which Redis runs as a whole. So a batch is there or not, never
in part; a relay that was overtaken, or whose Redis has forgotten, is told; and one command carries it all.
"""

from collections.abc import Sequence
from typing import Any, Final

from faststream.redis.message import FAKE_CONSUMER, RedisBatchStreamMessage

from shared.bus.client import Client

BODY = "__data__"
"""The field that holds an event. FastStream looks for it by this name."""

NOT_OURS: Final = 2**63 - 1
"""Where a stream ends whose last ID is none that the relay gives: behind every position."""

ADD = """
    local function last()
        if redis.call('EXISTS', KEYS[1]) == 0 then return '0-0' end
        local info = redis.call('XINFO', 'STREAM', KEYS[1])
        for i = 1, #info, 2 do
            if info[i] == 'last-generated-id' then return info[i + 1] end
        end
    end
    local found = last()
    if found == ARGV[1] then
        for i = 3, #ARGV, 2 do redis.call('XADD', KEYS[1], ARGV[i], ARGV[2], ARGV[i + 1]) end
    end
    return found
"""
"""ARGV: the ID to go behind, the field's name, and then for each entry its ID and body."""


class BusStream:
    """Entries have the ID `<position>-0`. Raises one of BUS_AWAY while Redis is away."""

    def __init__(self, redis: Client, key: str) -> None:
        self.key = key
        self._redis = redis

    async def last(self) -> int:
        """The highest position it ever held, also when the entry is trimmed away; 0 for none, or NOT_OURS."""
        return await self.add(0, ())

    async def add(self, behind: int, entries: Sequence[tuple[int, bytes]]) -> int:
        """Add (position, body) in order, all or none: only behind that position. Returns where it ended."""
        arguments: list[Any] = [f"{behind}-0", BODY]
        for position, body in entries:
            arguments += (f"{position}-0", body)
        # The script goes along each time: to be known beforehand, it would be loaded into all nodes of a
        # cluster, and could not be while one of them is lost.
        return _position(await self._redis.eval(ADD, 1, self.key, *arguments))

    async def forget_all(self) -> None:
        """Let it begin anew."""
        await self._redis.delete(self.key)

    async def forget(self, positions: Sequence[int]) -> None:
        """Let entries go. Who has not read them yet sees a hole, and asks the feed."""
        if positions:
            await self._redis.xdel(self.key, *(f"{position}-0" for position in positions))

    async def trim(self, max_length: int, up_to: int) -> None:
        """Forget the oldest: entries up to a position, and those beyond a length (about, as Redis likes)."""
        while await self._redis.xtrim(self.key, minid=f"{up_to + 1}-0", approximate=True):
            pass
        while await self._redis.xtrim(self.key, maxlen=max_length, approximate=True):
            pass


def _position(entry_id: bytes | str) -> int:
    text = entry_id.decode() if isinstance(entry_id, bytes) else entry_id
    position, _, number = text.partition("-")
    return int(position) if number == "0" else NOT_OURS


async def batch_as_it_is(message: Any) -> RedisBatchStreamMessage:
    """What FastStream hands to a reader of such a stream: the events of a batch as one JSON array, unread.

    Its own parser would read each three times and write it once, a third of the way from the bus to rows.
    An entry that is not one of ours becomes `null`.
    """
    bodies = [entry.get(BODY.encode(), b"null") for entry in message["data"]]
    return RedisBatchStreamMessage(
        message,
        b"[" + b",".join(bodies) + b"]",
        content_type="application/cloudevents-batch+json",
        consumer=FAKE_CONSUMER,
        group=None,
    )

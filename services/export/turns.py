"""Who writes next: organisations in turns, so that one's long files do not hold up another's short one."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID


class Turns:
    """places: files written at a time in this process. each: of them, by one organisation at most.

    `each` below `places` leaves room for others whoever comes first. Among those who wait, the organisation
    that writes least is next, and within it who came first.
    """

    def __init__(self, places: int, each: int) -> None:
        self._places = places
        self._each = each
        self._writing: Counter[UUID] = Counter()
        self._waiting: list[tuple[UUID, asyncio.Future[None]]] = []

    @asynccontextmanager
    async def taking(self, organisation: UUID) -> AsyncIterator[None]:
        """Hold a place for the length of the block; wait for it as long as it takes."""
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((organisation, turn))
        self._give()
        try:
            await turn
            yield
        finally:
            if turn.done() and not turn.cancelled():
                self._writing -= Counter([organisation])  # forgets those that write nothing any more
            else:
                self._waiting.remove((organisation, turn))
            self._give()

    def _give(self) -> None:
        """Let as many go on as there is room for."""
        while self._writing.total() < self._places:
            ready = [one for one in self._waiting if not one[1].done() and self._writing[one[0]] < self._each]
            if not ready:
                return
            chosen = min(ready, key=lambda one: self._writing[one[0]])  # of equals, the first that came
            self._waiting.remove(chosen)
            organisation, turn = chosen
            self._writing[organisation] += 1
            turn.set_result(None)

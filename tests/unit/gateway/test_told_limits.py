"""What limits files have is told on the list, which waits for no export that hangs."""

import asyncio
from typing import cast

from services.gateway.backends import Exports
from services.gateway.told_limits import ToldLimits
from shared.contracts.export import ExportLimits

LIMITS = ExportLimits(
    person=5,
    person_used=0,
    organisation=20,
    organisation_used=0,
    person_in_an_hour=60,
    person_in_an_hour_used=0,
    rows=10,
)


class Export:
    def __init__(self) -> None:
        self.asked = 0
        self.answers = asyncio.Event()

    async def limits(self) -> ExportLimits:
        self.asked += 1
        await self.answers.wait()
        return LIMITS


async def test_they_are_asked_once_for_many_pages() -> None:
    export, told = Export(), ToldLimits()
    export.answers.set()
    assert [await told.of(cast("Exports", export)) for _ in range(3)] == [LIMITS] * 3
    assert export.asked == 1


async def test_nobody_waits_long_for_an_export_that_hangs() -> None:
    export, told = Export(), ToldLimits()
    async with asyncio.timeout(1):
        assert [await told.of(cast("Exports", export)) for _ in range(50)] == [None] * 50
    assert export.asked == 1
    export.answers.set()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert await told.of(cast("Exports", export)) == LIMITS


async def test_nobody_is_asked_without_a_token_for_it() -> None:
    export, told = Export(), ToldLimits()
    assert (await told.of(None), export.asked, told.due) == (None, 0, True)
    export.answers.set()
    assert await told.of(cast("Exports", export)) == LIMITS
    assert not told.due
    assert await told.of(None) == LIMITS

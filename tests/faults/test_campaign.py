"""The short form of the campaign (`make faults` is the long one)."""

import pytest

from tests.faults.injection import FAULTS
from tests.faults.world import running_world

ROUND = (
    "kill -9 of one reader",
    "FLUSHALL",
    "kill -9 of one publisher",
    "kill -9 of Valkey, back empty",
    "kill -9 of Postgres, restarted",
)


@pytest.mark.parametrize("partitions", [1, 4])
async def test_every_event_and_every_effect_survives_a_round_of_faults(partitions: int) -> None:
    async with running_world("short form", partitions) as world:
        for name in ROUND:
            await FAULTS[name](world)
            await world.recovered()
        await world.settled()
        verdict = await world.judge()
    assert verdict.wrong == []
    assert verdict.events > 200

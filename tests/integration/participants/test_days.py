"""The calendar changes statuses, and the log says when a day began."""

from datetime import UTC, date, datetime

import pytest

from services.participants.days import begin_day
from services.participants.events import DayBegan
from shared.contracts import manage_ects as m
from tests.integration.participants.conftest import Participants
from tests.integration.participants.world import Hub, hub


async def leaving_on(fresh: Participants, day: date) -> Hub:
    made = hub()
    made.world.close(made.people["zoe"], m.InductionStatus.LEAVING, day)
    await fresh.send(made.world.told)
    return made


async def status_of_zoe(fresh: Participants, made: Hub) -> tuple[str, int]:
    body = (await fresh.get(f"/participants/{made.people['zoe']}", made.north)).json()
    return body["participant"]["status"], len(body["history"])


async def go_to(fresh: Participants, moment: datetime) -> bool:
    fresh.clock.now = moment
    began = await begin_day(fresh.app.state.store, fresh.clock)
    await fresh.is_up_to_date()
    return began


@pytest.mark.parametrize(
    ("leaves", "before", "after"),
    [
        # In winter a day begins at midnight UTC, in summer an hour earlier.
        (date(2026, 3, 3), datetime(2026, 3, 2, 23, 59, tzinfo=UTC), datetime(2026, 3, 3, 0, 0, tzinfo=UTC)),
        (
            date(2026, 7, 1),
            datetime(2026, 6, 30, 22, 59, tzinfo=UTC),
            datetime(2026, 6, 30, 23, 0, tzinfo=UTC),
        ),
    ],
)
async def test_who_leaves_has_left_when_the_day_begins_in_london(
    fresh: Participants, leaves: date, before: datetime, after: datetime
) -> None:
    made = await leaving_on(fresh, leaves)
    await go_to(fresh, before)
    status, changes = await status_of_zoe(fresh, made)
    assert status == "training_or_eligible_for_training"
    assert await go_to(fresh, after)
    assert await status_of_zoe(fresh, made) == ("no_longer_being_trained", changes + 1)


async def test_days_that_passed_while_the_service_was_down_count(fresh: Participants) -> None:
    made = await leaving_on(fresh, date(2026, 3, 4))
    await go_to(fresh, datetime(2026, 3, 20, 9, tzinfo=UTC))
    body = (await fresh.get(f"/participants/{made.people['zoe']}", made.north)).json()
    assert body["participant"]["status"] == "no_longer_being_trained"
    assert body["participant"]["status_since"].startswith("2026-03-04T00:00:00")
    assert body["history"][-1]["received_at"] is None


async def test_a_day_begins_once_and_never_goes_back(fresh: Participants) -> None:
    assert not await go_to(fresh, datetime(2026, 3, 2, 23, 0, tzinfo=UTC)), (
        "it began when the service started"
    )
    assert await go_to(fresh, datetime(2026, 3, 3, 1, 0, tzinfo=UTC))
    assert not await go_to(fresh, datetime(2026, 3, 3, 2, 0, tzinfo=UTC))
    assert not await go_to(fresh, datetime(2026, 3, 1, 2, 0, tzinfo=UTC))
    recorded = await fresh.app.state.store.read_stream("days")
    assert [one.event for one in recorded] == [DayBegan(date(2026, 3, 2)), DayBegan(date(2026, 3, 3))]

"""What changed since a day, or since one was last here."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from shared.contracts import manage_ects as m
from shared.database.provision import ServiceDatabase
from tests.integration.participants.conftest import MovingClock, Participants, serving
from tests.integration.participants.test_rows import records
from tests.integration.participants.world import Hub, World

LAST_VISIT = {"changed_since": "last-visit"}


@pytest.mark.parametrize("params", [{}, {"q": "smith"}, {"role": "ect"}])
async def test_since_a_day_are_those_whose_status_is_that_old_at_most(
    participants: Participants, north: Hub, params: dict[str, Any]
) -> None:
    everyone = (await participants.page(north.north, **params))["rows"]
    days = sorted({row["status_since"][:10] for row in everyone})
    for day in days:
        page = await participants.page(north.north, changed_since=day, **params)
        expected = [row["full_name"] for row in everyone if row["status_since"][:10] >= day]
        assert [row["full_name"] for row in page["rows"]] == expected
        assert page["total"] == sum(page["by_status"].values()) == len(expected)
        _, rows = await records(participants, north.north, {"changed_since": day, **params})
        assert [row[0] for row in rows] == expected
    assert await participants.names(north.north, changed_since="2099-01-01", **params) == []


@pytest.mark.parametrize("value", ["yesterday", "2025-13-01", "2025-09-01T10:00", "20250901", "today-year"])
async def test_what_is_no_day_is_told(participants: Participants, north: Hub, value: str) -> None:
    answer = await participants.get("/participants", north.north, {"changed_since": value})
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == ["changed_since"]


async def test_since_the_last_visit_is_since_the_session_before(fresh: Participants) -> None:
    world = World()
    provider, partner, school = world.lead_provider("L"), world.delivery_partner("P"), world.school("S")
    partnership = world.partnership(school, provider, partner)
    world.participant("Long There", school, partnership, trn="0000001")
    await fresh.send(world.told)
    first, second = replace(fresh, session_id=uuid4()), replace(fresh, session_id=uuid4())

    page = await first.page(partner, **LAST_VISIT)
    assert (page["total"], page["changed_since"]) == (1, None)
    fresh.clock.now = await fresh.scalar("SELECT clock_timestamp()")
    await first.page(partner)

    world.participant("New Since", school, partnership, trn="0000002")
    await fresh.send(world.told)
    fresh.clock.now += timedelta(hours=1)
    for _ in range(2):  # it stays so while the session lasts
        page = await second.page(partner, **LAST_VISIT)
        assert [row["full_name"] for row in page["rows"]] == ["New Since"]
        assert page["by_status"]["training_or_eligible_for_training"] == page["total"] == 1
        fresh.clock.now += timedelta(hours=1)
    _, rows = await records(second, partner, {"changed_since": page["changed_since"]})
    assert [row[0] for row in rows] == ["New Since"]

    third = replace(fresh, session_id=uuid4())
    assert (await third.page(partner, **LAST_VISIT))["total"] == 0
    someone_else = replace(fresh, session_id=uuid4(), person_id=uuid4())
    assert (await someone_else.page(partner, **LAST_VISIT))["total"] == 2


async def test_a_visit_of_long_ago_is_forgotten_and_the_next_one_is_as_a_first(fresh: Participants) -> None:
    world = World()
    provider, partner, school = world.lead_provider("L"), world.delivery_partner("P"), world.school("S")
    world.participant("Somebody", school, world.partnership(school, provider, partner), trn="0000001")
    await fresh.send(world.told)
    fresh.clock.now = began = await fresh.scalar("SELECT clock_timestamp()")
    long_ago = replace(fresh, session_id=uuid4(), person_id=uuid4())
    lately = replace(fresh, session_id=uuid4())
    await long_ago.page(partner)
    fresh.clock.now += timedelta(days=100)
    await lately.page(partner)

    async def seen_again(person: Participants) -> int:
        total: int = (await replace(person, session_id=uuid4()).page(partner, **LAST_VISIT))["total"]
        return total

    await fresh.app.state.visits.forget(began + timedelta(days=1))
    assert (await seen_again(long_ago), await seen_again(lately)) == (1, 0)


async def test_old_visits_are_forgotten_while_the_service_runs(
    database: ServiceDatabase, redis_url: str
) -> None:
    clock = MovingClock()
    async with serving(database, redis_url, clock) as first:
        await replace(first, session_id=uuid4()).page(uuid4())
        assert await first.scalar("SELECT count(*) FROM visits") == 1
    clock.now += timedelta(days=181)
    async with serving(database, redis_url, clock) as later:
        await later.becomes("SELECT count(*) FROM visits", 0)


async def test_a_change_told_late_is_new_to_who_was_here_before_it_was_told(fresh: Participants) -> None:
    world = World()
    provider, partner, school = world.lead_provider("L"), world.delivery_partner("P"), world.school("S")
    partnership = world.partnership(school, provider, partner)
    person = world.participant("Withdrawn Long Ago", school, partnership, trn="0000001")
    world.participant("Unchanged", school, partnership, trn="0000002")
    await fresh.send(world.told)
    seen = await fresh.scalar("SELECT clock_timestamp()")
    world.close(person, m.InductionStatus.WITHDRAWN)
    await fresh.send(world.told)
    page = await fresh.page(partner, changed_since=seen.isoformat())
    assert [row["full_name"] for row in page["rows"]] == ["Withdrawn Long Ago"]

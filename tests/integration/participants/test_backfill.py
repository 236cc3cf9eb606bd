"""Events from a file."""

import orjson

from services.participants.backfill import BackfillReport, backfill
from services.participants.derivation import Means
from shared.bus.parking import list_parked
from shared.database.engine import create_engine
from shared.database.provision import ServiceDatabase
from tests.integration.participants.conftest import MovingClock, Participants, serving
from tests.integration.participants.test_receiving import read_model, story_with_a_mentor
from tests.integration.participants.world import as_json, hub


def ndjson() -> list[str]:
    return [orjson.dumps(event).decode() + "\n" for event in as_json(story_with_a_mentor().told)]


async def fill(fresh: Participants, lines: list[str]) -> tuple[BackfillReport, list[int]]:
    seen: list[int] = []
    report = await backfill(
        fresh.engine, iter(lines), means=Means(50), progress=lambda r: seen.append(r.lines)
    )
    await fresh.is_up_to_date()
    return report, seen


async def test_a_file_gives_the_same_rows_as_the_bus_and_again_changes_nothing(fresh: Participants) -> None:
    lines = ndjson()
    report, seen = await fill(fresh, lines)
    assert (report.lines, report.accepted, report.parked) == (len(lines), len(lines), 0)
    assert seen[0] == len(lines)
    rows = await read_model(fresh)
    again, _ = await fill(fresh, lines)
    assert (again.accepted, again.duplicates) == (0, len(lines))
    assert await read_model(fresh) == rows


async def test_a_file_taken_in_before_the_service_ever_ran_shows_when_it_does(
    database: ServiceDatabase, redis_url: str
) -> None:
    made = hub()
    engine = create_engine(database.service_url)
    lines = (orjson.dumps(event).decode() for event in as_json(made.world.told))
    report = await backfill(engine, lines, means=Means(50), progress=lambda _: None)
    await engine.dispose()
    assert (report.accepted, report.derived) == (len(made.world.told), 0)
    async with serving(database, redis_url, MovingClock()) as service:
        await service.is_up_to_date()
        assert len(await service.names(made.north)) == 5


async def test_bad_lines_are_told_by_number_and_parked_and_the_others_are_in(fresh: Participants) -> None:
    made = hub()
    lines = [orjson.dumps(event).decode() for event in as_json(made.world.told)]
    lines.insert(2, "")
    lines.insert(4, '{"cut off')
    lines.append('{"specversion": "1.0"}')
    lines.append("[]")
    report, _ = await fill(fresh, lines)
    assert [bad.number for bad in report.bad_lines] == [5, len(lines) - 1, len(lines)]
    assert "is not a JSON object" in report.bad_lines[0].reason
    assert "type:" in report.bad_lines[1].reason
    assert report.accepted == len(made.world.told)
    async with fresh.engine.connect() as connection:
        assert len(await list_parked(connection, "participants")) == report.parked == 3
    assert len(await fresh.names(made.north)) == 5

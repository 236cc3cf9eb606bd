"""Participants derived anew from the log beside the live rows, while the service runs."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime
from typing import Any

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.participants.backfill import backfill
from services.participants.derivation import Means
from services.participants.rebuild import DerivedRows
from shared.bus.rebuilding import Report, rebuild
from shared.database.difference import Difference
from shared.database.engine import create_engine
from shared.database.provision import ServiceDatabase
from tests.integration.participants.conftest import Participants
from tests.integration.participants.test_days import go_to, leaving_on, status_of_zoe
from tests.integration.participants.test_receiving import story_with_a_mentor
from tests.integration.participants.world import Hub, as_json, hub
from tests.integration.shared.test_bus import running

TABLES = ("received_events", "subject_references", "mentor_namings", "participant_views", "status_history")


async def everything(fresh: Participants) -> list[list[tuple[Any, ...]]]:
    """All that is known of participants, to the moment at which we heard of it."""
    return [await fresh.rows(f"SELECT t::text FROM {table} t ORDER BY 1") for table in TABLES]  # noqa: S608


async def counts(fresh: Participants) -> dict[str, int]:
    return {table: await fresh.scalar(f"SELECT count(*) FROM {table}") for table in TABLES}  # noqa: S608


async def rebuilt(fresh: Participants, *, dry_run: bool = False) -> Report:
    model = DerivedRows(Means(10), progress=lambda what, number: None)
    return await rebuild(fresh.database.owner_url, model, dry_run=dry_run)


async def execute(fresh: Participants, statement: str) -> int:
    """Returns how many rows it touched."""
    async with fresh.engine.begin() as connection:
        return (await connection.execute(text(statement))).rowcount


INVENTED = """
    INSERT INTO mentor_namings
    VALUES (gen_random_uuid(), gen_random_uuid(), 1, gen_random_uuid(), now(), NULL, now(), NULL)
"""


async def spoil(fresh: Participants) -> dict[str, Difference]:
    """Some rows wrong, some missing, some too many. Returns what a rebuild must find."""
    all_ = await counts(fresh)
    changed = await execute(
        fresh,
        "UPDATE participant_views SET full_name = 'Wrong', status = 'wrong'"
        " WHERE participant_id IN (SELECT participant_id FROM participant_views ORDER BY 1 LIMIT 2)",
    )
    missing = await execute(fresh, "DELETE FROM status_history WHERE number = 0")
    await execute(fresh, INVENTED)
    assert changed
    assert missing
    return {
        "subject_references": Difference(all_["subject_references"], 0, 0, 0),
        "mentor_namings": Difference(all_["mentor_namings"], 0, 0, 1),
        "participant_views": Difference(all_["participant_views"] - changed, 0, changed, 0),
        "status_history": Difference(all_["status_history"] - missing, missing, 0, 0),
        "derivations_due": Difference(0, 0, 0, 0),
    }


async def test_spoilt_rows_are_repaired_and_counted_and_no_history_is_invented(fresh: Participants) -> None:
    await fresh.send(story_with_a_mentor().told)
    before = await everything(fresh)
    expected = await spoil(fresh)
    assert await everything(fresh) != before
    assert await rebuilt(fresh) == expected
    assert await everything(fresh) == before
    assert not any((await rebuilt(fresh)).values())


async def test_a_dry_run_counts_the_same_and_writes_nothing(fresh: Participants) -> None:
    await fresh.send(story_with_a_mentor().told)
    expected = await spoil(fresh)
    state = "SELECT xmin::text, xmax::text, t::text FROM participant_views t"
    spoilt = await everything(fresh), await fresh.rows(state)
    assert await rebuilt(fresh, dry_run=True) == expected
    assert (await everything(fresh), await fresh.rows(state)) == spoilt


async def test_a_page_shows_the_old_rows_or_the_new_ones(fresh: Participants) -> None:
    made = hub()
    await fresh.send(made.world.told)
    right = await fresh.names(made.north)
    await execute(fresh, "UPDATE participant_views SET full_name = 'Wrong ' || full_name")
    wrong = await fresh.names(made.north)
    seen: list[list[str]] = []

    async def look() -> None:
        while True:
            seen.append(await fresh.names(made.north))

    async with running(look):
        await rebuilt(fresh)
        await asyncio.sleep(0.5)
    assert (seen[0], seen[-1]) == (wrong, right)
    assert all(names in (wrong, right) for names in seen)


class Late(DerivedRows):
    """Something happens when all has been folded, before the swap."""

    def __init__(self, happens: Callable[[], Awaitable[object]]) -> None:
        super().__init__(Means(3), progress=lambda what, number: None)
        self._happens = happens

    async def hold(self, connection: AsyncConnection) -> None:
        await self._happens()
        await super().hold(connection)


async def test_events_that_arrive_at_the_last_moment_are_in(fresh: Participants) -> None:
    """Also where the service has not derived them yet: the swap does, and takes their marks away."""
    made = hub()
    await fresh.send(made.world.told)
    already = len(made.world.told)
    made.world.participant("Nadia Newcomer", made.oak, made.oak_partnership, trn="7654321")
    made.world.validate(made.people["adam"], "2222222")
    report = await rebuild(
        fresh.database.owner_url, Late(lambda: fresh.post(as_json(made.world.told[already:])))
    )
    assert report["participant_views"].removed == 0
    assert await fresh.names(made.north, q="Nadia") == ["Nadia Newcomer"]
    assert await fresh.names(made.north, q="2222222") == ["Adam Smith"]
    await fresh.is_up_to_date()
    assert not any((await rebuilt(fresh, dry_run=True)).values())


async def test_events_that_keep_arriving_are_neither_lost_nor_doubled(fresh: Participants) -> None:
    made = hub()
    await fresh.send(made.world.told)
    told = len(made.world.told)
    people: list[str] = []

    async def arrive() -> None:
        nonlocal told
        while True:
            people.append(f"Newcomer {len(people):03}")
            made.world.participant(people[-1], made.oak, made.oak_partnership, trn="7654321")
            batch = as_json(made.world.told[told:])
            told += len(batch)
            await fresh.post(batch)
            await asyncio.sleep(0.1)

    async with running(arrive):
        for _ in range(3):
            await rebuilt(fresh)
    await fresh.post(as_json(made.world.told))
    await fresh.is_up_to_date()
    assert await fresh.scalar("SELECT count(*) FROM received_events") == len(made.world.told)
    assert await fresh.scalar(
        "SELECT count(DISTINCT participant_id) FROM participant_views WHERE full_name LIKE 'Newcomer%'"
    ) == len(people)
    assert not any((await rebuilt(fresh, dry_run=True)).values())


async def test_a_day_that_begins_meanwhile_counts(fresh: Participants) -> None:
    made: Hub = await leaving_on(fresh, date(2026, 3, 3))
    day = datetime(2026, 3, 3, 9, tzinfo=UTC)
    await rebuild(fresh.database.owner_url, Late(lambda: go_to(fresh, day)))
    assert (await status_of_zoe(fresh, made))[0] == "no_longer_being_trained"


BROKEN = """
    INSERT INTO received_events (event_id, subject, type, sequence, time, data)
    VALUES ('broken', '{}', 'manage-ects.trn-validated.v1', 999, now(), '{{}}')
"""


async def test_who_cannot_be_derived_keeps_their_rows_and_is_counted(fresh: Participants) -> None:
    made = hub()
    await fresh.send(made.world.told)
    before = await everything(fresh)
    await execute(fresh, BROKEN.format(made.people["zoe"]))
    report = dict(await rebuilt(fresh))
    assert report.pop("derivations_due") == Difference(0, 1, 0, 0)
    assert not any(report.values())
    assert (await everything(fresh))[1:] == before[1:]
    failed = "SELECT participant_id, failure FROM derivations_due"
    assert await fresh.rows(failed) == [(made.people["zoe"], "ValidationError")]


async def test_who_can_be_derived_again_is_no_longer_left_aside(fresh: Participants) -> None:
    made = hub()
    await fresh.send(made.world.told)
    zoe = made.people["zoe"]
    await execute(fresh, f"INSERT INTO derivations_due VALUES ('{zoe}', 1, 'SomeError')")  # noqa: S608
    report = await rebuilt(fresh)
    assert report["derivations_due"] == Difference(0, 0, 0, 1)
    await fresh.is_up_to_date()


async def test_where_no_day_has_begun_everybody_stays_due(database: ServiceDatabase) -> None:
    engine = create_engine(database.service_url)
    lines = (orjson.dumps(event).decode() for event in as_json(hub().world.told))
    await backfill(engine, lines, means=Means(50), progress=lambda _: None)
    due = text("SELECT participant_id FROM derivations_due ORDER BY 1")
    async with engine.connect() as connection:
        before = (await connection.scalars(due)).all()
    report = await rebuild(database.owner_url, DerivedRows(Means(50), lambda what, number: None))
    assert not any(report.values())
    async with engine.connect() as connection:
        assert (await connection.scalars(due)).all() == before
    await engine.dispose()
    assert before

"""A participant who was removed is taken out of the log; nobody else's rows change by it."""

import json
from pathlib import Path

import orjson
import pytest
from sqlalchemy import text

from services.participants.erasure import CONTRACTS, without_person
from shared.contracts.manage_ects import ParticipantRegistered, ParticipantRemoved
from shared.database.engine import create_engine
from shared.database.provision import ServiceDatabase
from tests.conftest import NewDatabase
from tests.integration.cli.conftest import CheckData, check_data
from tests.integration.cli.test_operations import lines, written

__all__ = ["lines"]


@pytest.fixture
async def database(new_database: NewDatabase) -> ServiceDatabase:
    return await new_database("participants")


@pytest.fixture
def run(told: dict[str, str], database: ServiceDatabase) -> CheckData:
    return check_data({**told, "CHECK_DATA_OWNER_DATABASE_URL": database.owner_url}, database)


def registered(lines: list[bytes]) -> dict[str, dict[str, str]]:
    events = [json.loads(line) for line in lines]
    return {event["subject"]: event for event in events if event["type"] == ParticipantRegistered.type}


def removal(event: dict[str, str]) -> bytes:
    return orjson.dumps(
        {
            **event,
            "id": f"removal-of-{event['subject']}",
            "type": ParticipantRemoved.type,
            "time": "2026-11-01T09:00:00Z",
            "sequence": str(10**9),
            "data": {"participant_id": event["subject"]},
        }
    )


async def test_who_was_removed_is_erased_on_record_and_the_rows_still_follow_from_the_log(
    run: CheckData, database: ServiceDatabase, lines: list[bytes], tmp_path: Path
) -> None:
    person, event = next(iter(registered(lines).items()))
    name = event["data"]["full_name"]  # type: ignore[index]
    assert (await run("backfill", written(tmp_path, lines))).exit_code == 0
    early = await run("erase", person, "--why", "Asked for it")
    assert early.exit_code == 1
    assert "has not removed them" in early.output

    assert (await run("backfill", written(tmp_path, [removal(event)]))).exit_code == 0
    assert await log_holds(database, name)
    done = await run("erase", person, "--why", "Asked for it", "--by", "dpo")
    assert done.exit_code == 0, done.output
    assert name not in done.output
    assert not await log_holds(database, name)
    assert (await run("rebuild", "participants", "--dry-run")).exit_code == 0
    again = await run("erase", person, "--why", "Asked for it", "--by", "dpo")
    assert f"{person}: 0 events" in again.output
    owner = create_engine(database.owner_url)
    async with owner.connect() as connection:
        kept = (await connection.execute(text("SELECT by, why FROM erasures"))).all()
    await owner.dispose()
    assert [tuple(row) for row in kept] == [("dpo", "Asked for it")] * 2


async def log_holds(database: ServiceDatabase, name: str) -> bool:
    query = text("SELECT count(*) FROM received_events WHERE position(:name IN data::text) > 0")
    owner = create_engine(database.owner_url)
    async with owner.connect() as connection:
        found = await connection.scalar(query, {"name": name})
    await owner.dispose()
    return bool(found)


async def test_the_log_stays_append_only_after_an_erasure(
    run: CheckData, database: ServiceDatabase, lines: list[bytes], tmp_path: Path
) -> None:
    person, event = next(iter(registered(lines).items()))
    assert (await run("backfill", written(tmp_path, [*lines, removal(event)]))).exit_code == 0
    assert (await run("erase", person, "--why", "Asked for it")).exit_code == 0
    owner = create_engine(database.owner_url)
    with pytest.raises(Exception, match="append-only"):
        async with owner.begin() as connection:
            await connection.execute(text("UPDATE received_events SET type = 'changed'"))
    await owner.dispose()


@pytest.mark.parametrize("words", [("not-an-id",), ("00000000-0000-0000-0000-000000000001",)])
async def test_who_is_not_there_cannot_be_erased(run: CheckData, words: tuple[str, ...]) -> None:
    assert (await run("erase", *words, "--why", "Asked for it")).exit_code != 0


def test_nothing_personal_is_left_in_any_kind_of_event(lines: list[bytes]) -> None:
    seen = set()
    for line in lines:
        event = json.loads(line)
        if "participant_id" not in event["data"]:
            continue
        seen.add(event["type"])
        left = without_person(event["type"], {**event["data"], "a_new_field": "Zoe Zimmer"})
        assert "Zimmer" not in str(left)
        for name, schema in CONTRACTS[event["type"]].model_json_schema()["properties"].items():
            if "personalData" in str(schema):
                assert left.get(name) in (None, "(erased)", "erased@example.invalid")
            else:
                assert left.get(name) == event["data"].get(name)
    assert ParticipantRegistered.type in seen

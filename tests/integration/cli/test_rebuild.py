"""`check-data rebuild`: what an operator is told, and by which code."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.auth.consumers import AccessFollower
from shared.bus.checkpoints import load_checkpoint, move_checkpoint
from shared.database.engine import create_engine
from shared.database.provision import ServiceDatabase
from tests.conftest import NewDatabase
from tests.integration.cli.conftest import CheckData, check_data
from tests.integration.cli.test_operations import lines, written

__all__ = ["lines"]


@pytest.fixture
async def participants(new_database: NewDatabase) -> ServiceDatabase:
    return await new_database("participants")


@pytest.fixture
def told_all(told: dict[str, str]) -> dict[str, str]:
    return {**told, "CHECK_DATA_FEED_URLS": '{"access": "http://127.0.0.1:9"}'}


def run_as_owner(told: dict[str, str], database: ServiceDatabase) -> CheckData:
    return check_data({**told, "CHECK_DATA_OWNER_DATABASE_URL": database.owner_url}, database)


async def execute(database: ServiceDatabase, *statements: str) -> None:
    engine = create_engine(database.service_url)
    async with engine.begin() as connection:
        for statement in statements:
            await connection.execute(text(statement))
    await engine.dispose()


async def test_a_dry_run_ends_with_1_when_rows_differ_and_a_rebuild_mends_them(
    told_all: dict[str, str], participants: ServiceDatabase, lines: list[bytes], tmp_path: Path
) -> None:
    run = run_as_owner(told_all, participants)
    await execute(participants, "INSERT INTO present_day (day) VALUES ('2026-03-02')")
    assert (await run("backfill", written(tmp_path, lines))).exit_code == 0
    same = await run("rebuild", "participants", "--dry-run")
    assert (same.exit_code, same.stdout.splitlines()[0]) == (0, "participants: compared with the log")
    await execute(participants, "DELETE FROM status_history", "UPDATE participant_views SET school = 'Wrong'")
    differs = await run("rebuild", "participants", "--dry-run")
    assert differs.exit_code == 1
    assert "  status_history: 0 the same, " in differs.stdout
    done = await run("rebuild", "participants", "--projection", "participants")
    assert (done.exit_code, done.stdout.splitlines()[0]) == (0, "participants: made anew from the log")
    assert done.stdout.splitlines()[1:] == differs.stdout.splitlines()[1:], "it did what it said"
    assert (await run("rebuild", "participants", "--dry-run")).exit_code == 0


@pytest.fixture
async def auth(new_database: NewDatabase) -> ServiceDatabase:
    return await new_database("auth")


@pytest.fixture
async def auth_that_has_read(auth: ServiceDatabase) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(auth.service_url)
    async with engine.begin() as connection:
        await load_checkpoint(connection, AccessFollower.name, 0)
        await move_checkpoint(connection, AccessFollower.name, 0, old=0, new=5)
    yield engine
    await engine.dispose()


@pytest.mark.usefixtures("auth_that_has_read")
@pytest.mark.parametrize("words", [[], ["--dry-run"]])
async def test_a_feed_that_cannot_be_read_is_a_sentence_and_code_3(
    told_all: dict[str, str], auth: ServiceDatabase, words: list[str]
) -> None:
    told = {**told_all, "CHECK_DATA_AUTH_URL": "http://127.0.0.1:9"}
    result = await run_as_owner(told, auth)("rebuild", "auth", *words)
    assert result.exit_code == 3
    assert isinstance(result.exception, SystemExit), "no stack trace"
    assert result.stderr == "Error: access is as it was. The feed of access cannot be read: ConnectError.\n"


async def test_what_cannot_be_rebuilt_is_said_so(
    told_all: dict[str, str], told: dict[str, str], auth: ServiceDatabase, new_database: NewDatabase
) -> None:
    async def complaint(run: CheckData, *words: str) -> str:
        result = await run(*words)
        assert result.exit_code == 2, result.output
        return " ".join(result.stderr.replace("│", " ").split())

    access = run_as_owner(told_all, await new_database("access"))
    assert "keeps no rows that follow from the log" in await complaint(access, "rebuild", "access")
    run = run_as_owner(told_all, auth)
    assert "'audit' is not one of access" in await complaint(run, "rebuild", "auth", "--projection", "audit")
    assert "CHECK_DATA_OWNER_DATABASE_URL is not set" in await complaint(
        check_data(told_all, auth), "rebuild", "auth"
    )
    assert "CHECK_DATA_FEED_URLS does not say" in await complaint(run_as_owner(told, auth), "rebuild", "auth")

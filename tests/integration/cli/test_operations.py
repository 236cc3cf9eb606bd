"""Commands on one service's data, and what they say when they are told too little."""

import json
from collections.abc import Sequence
from pathlib import Path

import orjson
import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from services.auth.settings import Settings
from services.cli.commands import app
from shared.bus.parking import list_parked
from shared.database.engine import create_engine
from shared.database.provision import ServiceDatabase
from tests.conftest import NewDatabase
from tests.integration.cli.conftest import CheckData, check_data
from tests.integration.participants.world import as_json, hub


@pytest.fixture
async def participants(new_database: NewDatabase) -> ServiceDatabase:
    return await new_database("participants")


@pytest.fixture
def run(told: dict[str, str], participants: ServiceDatabase) -> CheckData:
    return check_data(told, participants)


@pytest.fixture
def lines() -> list[bytes]:
    """A world as the lines of a file."""
    return [orjson.dumps(event) for event in as_json(hub().world.told)]


def written(folder: Path, lines: Sequence[bytes]) -> str:
    file = folder / "events.ndjson"
    file.write_bytes(b"\n".join(lines) + b"\n")
    return str(file)


async def count(database: ServiceDatabase, query: str) -> int:
    engine = create_engine(database.service_url)
    try:
        async with engine.connect() as connection:
            return int(await connection.scalar(text(query)) or 0)
    finally:
        await engine.dispose()


async def test_a_good_file_is_taken_in_whole_and_again_changes_nothing(
    run: CheckData, participants: ServiceDatabase, lines: list[bytes], tmp_path: Path
) -> None:
    file = written(tmp_path, lines)
    first = await run("backfill", file)
    assert first.exit_code == 0, first.output
    total = len(lines)
    assert first.stdout.splitlines()[-1] == f"{total} lines: {total} taken in, 0 known already, 0 parked"
    again = await run("backfill", file)
    assert again.exit_code == 0
    assert f"0 taken in, {total} known already, 0 parked" in again.stdout
    assert await count(participants, "SELECT count(*) FROM received_events") == total


async def test_a_bad_line_is_told_by_its_number_and_the_others_are_in(
    run: CheckData, participants: ServiceDatabase, lines: list[bytes], tmp_path: Path
) -> None:
    bad = [*lines[:2], b'{"cut off', *lines[2:]]
    result = await run("backfill", written(tmp_path, bad))
    assert result.exit_code == 1
    assert isinstance(result.exception, SystemExit), "no stack trace"
    assert result.stderr.splitlines() == ["line 3: is not a JSON object"]
    assert f"{len(lines)} taken in, 0 known already, 1 parked" in result.stdout
    assert await count(participants, "SELECT count(*) FROM received_events") == len(lines)


async def test_a_byte_that_is_no_utf8_makes_one_bad_line_and_no_wrong_letter(
    run: CheckData, participants: ServiceDatabase, lines: list[bytes], tmp_path: Path
) -> None:
    """Latin-1 within a name: as a replaced letter it would be taken, with a name that is nobody's."""
    with_name = next(n for n, line in enumerate(lines) if b"participant-registered" in line)
    document = json.loads(lines[with_name])
    name = document["data"]["full_name"].encode()
    spoilt = lines[with_name].replace(name, b"Ren\xe9e " + name)
    assert spoilt != lines[with_name]
    result = await run("backfill", written(tmp_path, [*lines[:with_name], spoilt, *lines[with_name + 1 :]]))
    assert result.exit_code == 1
    assert result.stderr.startswith(f"line {with_name + 1}: is not a JSON object")
    assert "\ufffd" not in result.output
    replaced = "SELECT count(*) FROM received_events WHERE data::text LIKE '%' || chr(65533) || '%'"
    assert await count(participants, replaced) == 0
    engine = create_engine(participants.service_url)
    async with engine.connect() as connection:
        assert len(await list_parked(connection, "participants")) == 1
    await engine.dispose()


async def test_letters_of_all_kinds_are_read_whatever_the_locale(
    run: CheckData, lines: list[bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", "C")
    changed = [line.replace(b'"full_name":"', '"full_name":"Zoë\u2028Łukasz '.encode()) for line in lines]
    assert changed != lines
    result = await run("backfill", written(tmp_path, changed))
    assert (result.exit_code, result.stderr) == (0, "")
    assert f"{len(lines)} lines: {len(lines)} taken in" in result.stdout


async def test_a_file_that_is_not_there_is_said_so(run: CheckData, tmp_path: Path) -> None:
    result = await run("backfill", str(tmp_path / "nothing.ndjson"))
    assert result.exit_code == 2
    assert "does not exist" in " ".join(result.stderr.split())


SETTINGS = (
    "DATABASE_URL",
    "REDIS_URL",
    "LINK_KEYS",
    "SIGNING_KEYS",
    "SECOND_FACTOR_KEYS",
    "SERVICE_SECRETS",
    "READER_DATABASE_URL",
)
NOTHING: dict[str, str | None] = {f"CHECK_DATA_{name}": None for name in SETTINGS}
SECRET = "sesame-" * 6


def told(tmp_path: Path, words: list[str], **set_: str) -> tuple[int, str]:
    """The code and the complaints of a command in an environment where nothing but this is set."""
    environment = {**NOTHING, "CHECK_DATA_HOME": str(tmp_path / "home"), **set_}
    result = CliRunner().invoke(app, words, env=environment)
    assert isinstance(result.exception, SystemExit), "no stack trace"
    return result.exit_code, result.stderr


def test_serve_names_every_setting_that_is_missing(tmp_path: Path) -> None:
    code, complaints = told(tmp_path, ["serve", "auth"])
    assert code == 2
    assert complaints.splitlines() == [
        "Setting CHECK_DATA_DATABASE_URL: Field required",
        "Setting CHECK_DATA_REDIS_URL: Field required",
        "Setting CHECK_DATA_LINK_KEYS: Field required",
        "Setting CHECK_DATA_SIGNING_KEYS: Field required",
        "Setting CHECK_DATA_SECOND_FACTOR_KEYS: Field required",
        "Setting CHECK_DATA_SERVICE_SECRETS: Field required",
    ]


@pytest.mark.parametrize(
    ("set_", "named"),
    [
        ({"CHECK_DATA_EMAIL_VIA": "pigeon"}, "CHECK_DATA_EMAIL_VIA: String should match"),
        ({"CHECK_DATA_EMAIL_SMTP_PORT": "many"}, "CHECK_DATA_EMAIL_SMTP_PORT: Input should be"),
        ({"CHECK_DATA_PORT": SECRET}, "CHECK_DATA_PORT: Input should be"),
        ({"CHECK_DATA_LINK_KEYS": SECRET}, "CHECK_DATA_LINK_KEYS: is not JSON"),
        ({"CHECK_DATA_LINK_KEYS": f'["{SECRET}", 5]'}, "CHECK_DATA_LINK_KEYS [1]: Input should be"),
        ({"CHECK_DATA_SERVICE_SECRETS": "{}"}, "CHECK_DATA_SERVICE_SECRETS: Dictionary should have"),
    ],
)
def test_a_setting_that_is_wrong_is_named_as_it_was_set_and_not_repeated(
    tmp_path: Path, set_: dict[str, str], named: str
) -> None:
    code, complaints = told(tmp_path, ["serve", "auth"], **set_)
    assert code == 2
    assert f"Setting {named}" in complaints
    assert SECRET not in complaints


@pytest.mark.parametrize("words", [["parked", "list", "auth"], ["rebuild", "participants"]])
def test_other_commands_name_what_is_missing_too(tmp_path: Path, words: list[str]) -> None:
    code, complaints = told(tmp_path, words, CHECK_DATA_REDIS_URL="redis://127.0.0.1:1/0")
    assert code == 2
    assert "Setting CHECK_DATA_DATABASE_URL: Field required" in complaints


def test_errors_of_settings_hold_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """They may end up in a log by whatever way: pydantic would repeat all that was set."""
    for name in SETTINGS:
        monkeypatch.delenv(f"CHECK_DATA_{name}", raising=False)
    monkeypatch.setenv("CHECK_DATA_SERVICE_SECRET", SECRET)
    with pytest.raises(ValueError, match="Field required") as error:
        Settings()
    assert SECRET not in str(error.value)


@pytest.mark.parametrize(
    "words",
    [["serve", "nothing"], ["migrate", "gateway"], ["parked", "list", "gateway"], ["rebuild", "gateway"]],
)
def test_a_service_that_does_not_fit_is_refused_with_those_that_do(tmp_path: Path, words: list[str]) -> None:
    code, complaints = told(tmp_path, words)
    assert code == 2
    assert "is not one of" in complaints

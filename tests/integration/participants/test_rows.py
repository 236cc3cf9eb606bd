"""All rows of a list, as a stream for a file."""

import asyncio
import csv
import io
from collections.abc import AsyncGenerator
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text
from starlette.requests import ClientDisconnect
from starlette.types import Message

from services.participants.copying import copied, harmless_sql
from services.participants.csv_answer import CsvAnswer
from services.participants.domain.harmless import harmless
from services.participants.list_query import ListQuery
from services.participants.list_sql import Statement
from services.participants.precedence import Precedence
from services.participants.rows_query import RowsQuery
from services.participants.scope import Scope
from shared.contracts import manage_ects as m
from shared.contracts.participants import EXPORT_COLUMNS, ROWS_TOTAL
from shared.database.engine import driver_of
from tests.integration.participants.conftest import Participants
from tests.integration.participants.world import Hub, World
from tests.unit.participants.test_harmless import HARMLESS_TEXTS, RISKY_TEXTS


async def records(
    participants: Participants, partner: Any, params: dict[str, Any]
) -> tuple[int, list[list[str]]]:
    answer = await participants.get("/participants/rows", partner, params)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/csv; charset=utf-8; header=absent"
    return int(answer.headers[ROWS_TOTAL]), list(csv.reader(io.StringIO(answer.text, newline="")))


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"q": "smith"},
        {"role": "ect", "academic_year": "2025"},
        {"status": "participant_deferred"},
        {"q": "no-one"},
        {"q": "smith", "sort": "-name"},
        {"sort": "-changed"},
        {"q": "100% o'neill\\ $1"},
    ],
)
async def test_the_rows_are_those_of_the_list_in_its_order(
    participants: Participants, north: Hub, params: dict[str, Any]
) -> None:
    page = await participants.page(north.north, **params)
    total, rows = await records(participants, north.north, params)
    assert total == page["total"]
    assert [row[0] for row in rows] == [row["full_name"] for row in page["rows"]]


async def test_a_row_has_the_words_of_the_file(participants: Participants, north: Hub) -> None:
    _, (zoe,) = await records(participants, north.north, {"q": "zoe"})
    row = dict(zip(EXPORT_COLUMNS, zoe, strict=True))
    del row["email_address"]
    assert row == {
        "full_name": "Zoë O’Connor",
        "trn": "0012345",
        "role": "Early career teacher",
        "lead_provider": "Brightwater Teacher Development",
        "school": "Oakfield Primary School",
        "school_unique_reference_number": "100001",
        "academic_year": "2025",
        "training_status": "active",
        "status": "Training or eligible for training",
    }
    _, (mia,) = await records(participants, north.north, {"q": "mia"})
    assert mia[3] == "Mentor"
    _, (adam,) = await records(participants, north.north, {"q": "adam"})
    assert adam[2] == ""


async def test_columns_are_those_asked_for_in_the_order_of_the_file(
    participants: Participants, north: Hub
) -> None:
    _, rows = await records(participants, north.north, {"q": "zoe", "column": ["status", "full_name"]})
    assert rows == [["Zoë O’Connor", "Training or eligible for training"]]


async def test_a_single_column_has_no_empty_lines(participants: Participants, north: Hub) -> None:
    answer = await participants.get("/participants/rows", north.north, {"q": "adam", "column": "trn"})
    assert answer.text == '""\n'


async def test_what_the_file_cannot_be_is_named(participants: Participants, north: Hub) -> None:
    asked = {"column": "shoe_size", "formulas": "run"}
    answer = await participants.get("/participants/rows", north.north, asked)
    assert answer.status_code == 422
    assert {error["field"] for error in answer.json()["errors"]} == {"column", "formulas"}


async def test_a_long_list_comes_whole_and_formulas_are_harmless_unless_asked(fresh: Participants) -> None:
    world = World()
    provider, partner, school = world.lead_provider("L"), world.delivery_partner("P"), world.school("=S,\n1")
    partnership = world.partnership(school, provider, partner)
    for number in range(1_100):
        world.participant(f"Person {number:04}", school, partnership, role=m.ParticipantRole.ECT)
    for start in range(0, len(world.told), 1_000):
        await fresh.send(world.told[start : start + 1_000])
    total, rows = await records(fresh, partner, {})
    assert total == 1_100
    assert [row[0] for row in rows] == [f"Person {number:04}" for number in range(1_100)]
    assert {row[5] for row in rows} == {"'=S,\n1"}
    _, rows = await records(fresh, partner, {"formulas": "as_they_are"})
    assert {row[5] for row in rows} == {"=S,\n1"}


async def test_the_rows_are_those_that_were_counted_whatever_happens_meanwhile(fresh: Participants) -> None:
    partner = uuid4()
    made = """
        INSERT INTO participant_views (participant_id, organisation_id, organisation_kind, full_name,
            sort_name, email, role, academic_year, training_status, status, state, status_since, search_text)
        SELECT gen_random_uuid(), :partner, 'delivery_partner', :name || i, lpad(i::text, 7, '0'),
            i || '@example.org', 'ect', 2024, 'active', 'checking_qts', 'checks_not_complete', now(), ''
        FROM generate_series(1, 3000) AS i
    """
    async with fresh.engine.begin() as connection:
        await connection.execute(text(made), {"partner": partner, "name": "Counted "})
    scope = Scope(m.OrganisationKind.DELIVERY_PARTNER, partner)
    total, pieces = await fresh.app.state.queries.records(scope, RowsQuery(ListQuery()))
    async with fresh.engine.begin() as connection:
        gone = "DELETE FROM participant_views WHERE organisation_id = :partner AND sort_name < '0001000'"
        await connection.execute(text(gone), {"partner": partner})
        await connection.execute(text(made), {"partner": partner, "name": "Too late "})
    told = b"".join([piece async for piece in pieces])
    assert (total, told.count(b"\n"), told.count(b"Counted ")) == (3_000, 3_000, 3_000)


MANY = Statement("SELECT generate_series(1, 5000000)")
"""Made while they are read: in FROM, Postgres would make all of them before it gives the first."""


async def in_postgres(participants: Participants, texts: list[str]) -> list[str]:
    """What the database makes of the texts, read back from its CSV."""
    named = "FROM unnest(CAST($1 AS text[])) WITH ORDINALITY AS given (cell, number)"
    statement = Statement(f"SELECT {harmless_sql('cell')}, number {named} ORDER BY number", [texts])
    async with participants.reader.connect() as connection:
        pieces = [piece async for piece in copied(await driver_of(connection), statement, Precedence())]
    return [row[0] for row in csv.reader(io.StringIO(b"".join(pieces).decode(), newline=""))]


async def test_postgres_finds_the_same_texts_harmless(participants: Participants) -> None:
    texts = RISKY_TEXTS + HARMLESS_TEXTS
    texts += [f"{chr(n)}=" for n in range(1, 0x3100)] + [f"{chr(n)}1" for n in range(1, 0x3100)]
    assert await in_postgres(participants, texts) == [harmless(text) for text in texts]


async def test_any_text_comes_back_from_a_file_as_it_was(participants: Participants) -> None:
    """Quotes, commas, line ends, right-to-left, combining: whatever a text is made of."""
    seen: list[str] = []
    text = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=12)

    @given(st.lists(text | st.text('=",;\r\n\t\\. שׁe\u0301\u202e0', max_size=8), max_size=50))
    @settings(max_examples=40, database=None)
    def draw(texts: list[str]) -> None:
        seen.extend(texts)

    draw()
    assert await in_postgres(participants, seen) == [harmless(text) for text in seen]


async def test_a_reader_that_goes_away_frees_what_the_stream_held() -> None:
    closed = False

    async def pieces() -> AsyncGenerator[bytes]:
        nonlocal closed
        try:
            while True:
                yield b"x\n"
        finally:
            closed = True

    async def send(message: Message) -> None:
        if message.get("more_body"):
            raise OSError("the reader is gone")

    async def receive() -> Message:
        await asyncio.Event().wait()
        raise AssertionError("unreachable")

    with pytest.raises((OSError, ClientDisconnect)):
        await CsvAnswer(1, pieces())({"type": "http", "asgi": {"spec_version": "2.4"}}, receive, send)
    assert closed


async def test_who_leaves_in_the_middle_leaves_no_copy_running_and_no_broken_connection(
    participants: Participants,
) -> None:
    precedence = Precedence()
    for _ in range(25):  # more than the pool holds
        async with participants.reader.connect() as connection:
            copying = copied(await driver_of(connection), MANY, precedence)
            assert (await anext(copying)).startswith(b"1\n2\n3\n")
            await copying.aclose()
    assert precedence.is_free
    async with participants.reader.connect() as connection:
        assert await connection.scalar(select(1)) == 1
    running = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'COPY%' AND state = 'active'"
    await participants.becomes(running, 0)


async def test_a_copy_that_nobody_takes_from_holds_up_no_other(participants: Participants) -> None:
    """Copies read in turns, piece by piece, and who waits to be taken from holds no turn."""
    precedence = Precedence()
    async with participants.reader.connect() as one, participants.reader.connect() as two:
        idle = copied(await driver_of(one), MANY, precedence)
        other = copied(await driver_of(two), MANY, precedence)
        await anext(idle)
        taken = 0
        async with asyncio.timeout(10):
            while taken < 2_000_000:
                taken += len(await anext(other))
        await idle.aclose()
        await other.aclose()
    assert precedence.is_free


async def test_files_give_way_to_who_looks_at_a_list_and_not_to_one_another(fresh: Participants) -> None:
    precedence: Precedence = fresh.app.state.queries.precedence
    await fresh.get("/participants/rows", uuid4())
    assert not precedence.people_are_about()
    await fresh.page(uuid4())
    assert precedence.people_are_about()


async def test_a_copy_that_fails_raises(participants: Participants) -> None:
    async with participants.reader.connect() as connection:
        driver = await driver_of(connection)
        with pytest.raises(asyncpg.DivisionByZeroError):
            _ = [piece async for piece in copied(driver, Statement("SELECT 1 / 0"), Precedence())]

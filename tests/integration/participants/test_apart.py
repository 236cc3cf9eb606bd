"""Nobody sees another organisation's participants, even where the code forgets to ask for its own."""

import pytest
from sqlalchemy import Table, TextClause, func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from services.participants.tables import participant_counts, participant_views, status_history
from tests.integration.participants.conftest import Participants
from tests.integration.participants.world import Hub

TABLES = pytest.mark.parametrize(
    "table", [participant_views, participant_counts, status_history], ids=lambda table: table.name
)
MATCHING = text("SELECT status FROM participants_matching(ARRAY['%smith%'])")
FOUND = text(
    "SELECT cardinality(page)"
    " FROM participants_found(ARRAY['%smith%'], NULL, NULL, NULL, NULL, false, 'name', 50, 0)"
)


async def test_another_partner_sees_its_own_only(participants: Participants, north: Hub) -> None:
    assert await participants.names(north.south) == ["Sam Smith"]
    assert await participants.names(north.south, q="zoe") == []
    assert (await participants.page(north.south))["academic_years"] == [2025]


async def test_another_partners_participant_is_not_found(participants: Participants, north: Hub) -> None:
    answer = await participants.get(f"/participants/{north.people['zoe']}", north.south)
    assert answer.status_code == 404


@TABLES
async def test_a_query_that_forgets_the_organisation_sees_one_organisation(
    participants: Participants, north: Hub, table: Table
) -> None:
    async with participants.reader.begin() as connection:
        await say(connection, str(north.south), "delivery_partner")
        seen = await connection.scalars(select(table.c.organisation_id).distinct())
        assert seen.all() == [north.south]


@TABLES
async def test_a_transaction_that_does_not_say_for_whom_sees_nothing(
    participants: Participants, north: Hub, table: Table
) -> None:
    count = select(func.count()).select_from(table)
    async with participants.reader.connect() as connection:
        assert await connection.scalar(count) == 0
        await connection.rollback()
        await say(connection, str(north.north), "delivery_partner")
        assert await connection.scalar(count) != 0
        await connection.rollback()
        assert await connection.scalar(count) == 0, "what one transaction said must not outlive it"


async def test_the_search_sees_whom_the_transaction_reads_for_and_nobody_else(
    participants: Participants, north: Hub
) -> None:
    async with participants.reader.connect() as connection:
        assert (await connection.execute(MATCHING)).all() == []
        assert await connection.scalar(FOUND) == 0
        await say(connection, str(north.south), "delivery_partner")
        assert len((await connection.execute(MATCHING)).all()) == 1
        assert await connection.scalar(FOUND) == 1
        await say(connection, str(north.south), "appropriate_body")
        assert (await connection.execute(MATCHING)).all() == []
        assert await connection.scalar(FOUND) == 0


@pytest.mark.parametrize("search", [MATCHING, FOUND], ids=["rows", "page"])
async def test_the_service_itself_cannot_search(participants: Participants, search: TextClause) -> None:
    async with participants.engine.connect() as connection:
        with pytest.raises(DBAPIError, match="permission denied"):
            await connection.execute(search)


@TABLES
async def test_the_kind_of_organisation_counts_too(
    participants: Participants, north: Hub, table: Table
) -> None:
    async with participants.reader.begin() as connection:
        await say(connection, str(north.north), "appropriate_body")
        assert await connection.scalar(select(func.count()).select_from(table)) == 0


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM participant_views",
        "UPDATE status_history SET status = NULL",
        "SELECT data FROM received_events",
        "SELECT data FROM events",
        "SELECT event FROM parked_events",
        "ALTER TABLE participant_views DISABLE ROW LEVEL SECURITY",
        "SET ROLE participants_owner",
    ],
)
async def test_the_reader_can_do_nothing_else(participants: Participants, north: Hub, statement: str) -> None:
    async with participants.reader.connect() as connection:
        await say(connection, str(north.north), "delivery_partner")
        with pytest.raises(DBAPIError, match=r"permission denied|must be owner"):
            await connection.execute(text(statement))


async def say(connection: AsyncConnection, organisation: str, kind: str) -> None:
    await connection.execute(
        text(
            "SELECT set_config('check_data.organisation', :id, true),"
            " set_config('check_data.organisation_kind', :kind, true)"
        ),
        {"id": organisation, "kind": kind},
    )

"""What people ask for most is answered from an index, and reads no list that it does not show."""

from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from services.participants.copying import STEADILY
from services.participants.domain.status import Status
from services.participants.list_query import ListQuery, Paging, Sort
from services.participants.list_sql import HISTORY, ONE, page_statement, rows_statement
from services.participants.precedence import Precedence
from services.participants.queries import ParticipantQueries
from services.participants.scope import Scope
from shared.contracts.manage_ects import OrganisationKind
from shared.database.pool import open_pool
from tests.integration.participants.many import BEGAN, MANY, Filled

KIND = OrganisationKind.DELIVERY_PARTNER
BY_NAME, BY_CHANGE = "participant_views_by_name", "participant_views_by_change"
TEXTS, TRIGRAMS = "participant_views_texts", "participant_views_search"


@pytest.fixture
async def reader(lists: Filled) -> AsyncIterator[asyncpg.Connection]:
    """Reads for the longer list, as the service does."""
    connection = await asyncpg.connect(lists.database.extra_urls["participants_reader"])
    await connection.execute(
        f"SELECT set_config('check_data.organisation', '{longer(lists)}', false),"
        f" set_config('check_data.organisation_kind', '{KIND.value}', false)"
    )
    yield connection
    await connection.close()


def longer(lists: Filled) -> UUID:
    return next(organisation for organisation, rows in lists.rows.items() if len(rows) == MANY)


async def plan(connection: asyncpg.Connection, statement: str, *values: object) -> str:
    lines = await connection.fetch(f"EXPLAIN (COSTS OFF) {statement}", *values)
    return "\n".join(line[0] for line in lines)


@pytest.mark.parametrize(
    ("query", "index"),
    [
        (ListQuery(), BY_NAME),
        (ListQuery(sort=Sort.NAME_DOWN), BY_NAME),
        (ListQuery(statuses=(Status.CHECKING_QTS,), academic_years=(2024,)), BY_NAME),
        (ListQuery(sort=Sort.CHANGED_DOWN), BY_CHANGE),
        (ListQuery(changed_since=BEGAN.date() + timedelta(days=20), sort=Sort.CHANGED_DOWN), BY_CHANGE),
    ],
    ids=["first page", "from the end", "status and year", "newest changes", "changed since a day"],
)
async def test_a_page_is_a_walk_of_the_index_in_its_order(
    lists: Filled, reader: asyncpg.Connection, query: ListQuery, index: str
) -> None:
    statement = page_statement(Scope(KIND, longer(lists)), query, Paging(1, 50))
    seen = await plan(reader, statement.text, *statement.values)
    assert "Seq Scan" not in seen
    found = seen.split("CTE found", 1)[1].split("Nested Loop", 1)[0]
    page = found.rsplit("->  Limit", 1)[1]
    assert f"using {index} on participant_views" in page
    assert "Index Only Scan" in page
    assert "Sort" not in page


@pytest.mark.parametrize("sort", Sort)
async def test_while_people_are_about_the_rows_of_a_file_come_without_a_sort(
    lists: Filled, reader: asyncpg.Connection, sort: Sort
) -> None:
    query = ListQuery(statuses=(Status.CHECKING_QTS,), sort=sort)
    statement = rows_statement(Scope(KIND, longer(lists)), query, "full_name")
    async with reader.transaction():
        await reader.execute(STEADILY)
        seen = await plan(reader, statement.text, *statement.values)
    assert "Index" in seen
    assert "Sort" not in seen


@pytest.mark.parametrize("statement", [ONE, HISTORY], ids=["one person", "their history"])
async def test_a_person_is_looked_up_by_key(
    lists: Filled, reader: asyncpg.Connection, statement: str
) -> None:
    seen = await plan(reader, statement, longer(lists), KIND.value, UUID(int=7))
    assert "_pkey" in seen
    assert "Seq Scan" not in seen


@pytest.mark.parametrize("pattern", ["%nobody%", "%qj%"], ids=["a word", "two letters"])
async def test_a_search_that_few_are_found_by_can_use_the_trigrams(lists: Filled, pattern: str) -> None:
    seen = await inside(lists, pattern, "true")
    assert f"Bitmap Index Scan on {TRIGRAMS}" in seen
    assert "Seq Scan" not in seen


SHORT = "octet_length(search_text) <= 2000"


async def test_many_that_a_search_finds_are_counted_without_a_look_at_any_row(lists: Filled) -> None:
    seen = await inside(lists, "%school%", f"{own(lists)} AND {SHORT}", without=("seqscan", "bitmapscan"))
    assert f"Index Only Scan using {TEXTS}" in seen


async def test_the_page_of_a_search_that_finds_many_ends_where_it_is_full(lists: Filled) -> None:
    order = "ORDER BY sort_name, participant_id LIMIT 50"
    seen = await inside(lists, "%school%", f"{own(lists)} AND {SHORT}", order)
    assert f"using {BY_NAME}" in seen
    assert "Sort" not in seen


def own(lists: Filled) -> str:
    return f"organisation_id = '{longer(lists)}' AND organisation_kind = '{KIND.value}'"


async def inside(
    lists: Filled, pattern: str, where: str, order: str = "", without: tuple[str, ...] = ("seqscan",)
) -> str:
    """The plan of what the function participants_found asks, which EXPLAIN itself does not show.

    As if there were many more rows: for so few, reading the whole table costs as little.
    """
    owner = await asyncpg.connect(lists.database.owner_url)
    for scan in without:
        await owner.execute(f"SET enable_{scan} = off")
    matching: Any = await owner.fetchval("SELECT matching_patterns($1, true)", [pattern])
    statement = f"SELECT participant_id, status FROM participant_views WHERE {where}{matching} {order}"  # noqa: S608
    seen = await plan(owner, statement)
    await owner.close()
    return seen


async def test_a_search_that_finds_few_is_looked_up_as_the_service_asks(lists: Filled) -> None:
    assert (await looked_into(lists, "gazh"))[TRIGRAMS]


async def test_a_search_that_finds_many_is_counted_as_the_service_asks(lists: Filled) -> None:
    assert (await looked_into(lists, "school", enable_bitmapscan="off", enable_seqscan="off"))[TEXTS]


async def test_what_tells_that_many_are_expected_is_seen_by_whom_the_search_runs_as(lists: Filled) -> None:
    owner = await asyncpg.connect(lists.database.owner_url)
    kept = await owner.fetchval(
        "SELECT cardinality(CAST(CAST(histogram_bounds AS text) AS text[])) FROM pg_stats"
        " WHERE tablename = 'participant_views' AND attname = 'search_text'"
    )
    runs_as = await owner.fetchval(
        "SELECT proowner::regrole FROM pg_proc WHERE proname = 'participants_found'"
    )
    await owner.close()
    assert kept > 50
    assert runs_as == "participants_owner"


async def looked_into(lists: Filled, word: str, **settings: str) -> Counter[str]:
    """How often a search looked into each index, as Postgres counts it: a function's plan is told nowhere."""
    scope, query = Scope(KIND, longer(lists)), ListQuery(words=(word,))
    async with open_pool(lists.database.extra_urls["participants_reader"], 1, **settings) as readers:
        before = await scans(lists, readers)
        await ParticipantQueries(readers, Precedence()).page(scope, query, Paging(1, 50))
        return await scans(lists, readers) - before


async def scans(lists: Filled, readers: asyncpg.Pool) -> Counter[str]:
    await readers.fetchval("SELECT pg_stat_force_next_flush()")
    owner = await asyncpg.connect(lists.database.owner_url)
    rows = await owner.fetch("SELECT indexrelname, idx_scan FROM pg_stat_user_indexes")
    await owner.close()
    return Counter(dict(rows))

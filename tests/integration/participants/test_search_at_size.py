"""However many a search finds, and whatever its words are: the rows, the counts and the pages are right."""

import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from services.participants.domain.status import Status
from services.participants.domain.view import searchable
from services.participants.list_query import ListQuery, Paging, Sort
from services.participants.queries import ParticipantQueries
from services.participants.scope import Scope
from shared.contracts.manage_ects import OrganisationKind, ParticipantRole
from shared.database.engine import create_engine
from shared.database.provision import ServiceDatabase
from tests.databases import Databases

NAMES = ("Zhang", "Zoë", "Szh", "Łukasz", "O’Zh", "Müller", "Smith", "Ng", "Li", "zhł", "Ana_Zh", "x" * 255)
SCHOOLS = ("Brook School", "Oak (Aided) School", "Château Zh", "🜨" * 450 + " School", "100% Zh", None)
STATUSES = (Status.CHECKING_QTS, Status.PARTICIPANT_DEFERRED, Status.TRAINING_OR_ELIGIBLE_FOR_TRAINING)
BEGAN = datetime(2025, 1, 1, tzinfo=UTC)
MANY, FEW = 6_000, 900
"""So many that most searches find more than is looked at one by one; and so few that none does."""


@dataclass(frozen=True)
class Row:
    participant_id: UUID
    name: str
    role: str
    year: int
    status: Status
    since: datetime
    text: str


@dataclass(frozen=True)
class Filled:
    queries: ParticipantQueries
    rows: dict[UUID, list[Row]]


def made(number: int, random_: random.Random) -> Row:
    name = " ".join(random_.choices(NAMES, k=2))
    text = searchable(name, random_.choice(SCHOOLS), f"{random_.randrange(10**7):07}", "Ed Zh")
    role = random_.choice(["ect", "mentor"])
    since = BEGAN + timedelta(hours=random_.randrange(500))
    return Row(
        UUID(int=number), name, role, random_.choice([2024, 2025]), random_.choice(STATUSES), since, text
    )


COLUMNS = (
    "participant_id", "organisation_id", "organisation_kind", "full_name", "sort_name", "email", "role",
    "academic_year", "training_status", "status", "state", "status_since", "search_text",
)  # fmt: skip


async def write(database: ServiceDatabase, organisation: UUID, rows: list[Row]) -> None:
    """As the tables' owner, who may COPY."""
    connection = await asyncpg.connect(database.owner_url)
    records = [
        (
            row.participant_id, organisation, "delivery_partner", row.name, searchable(row.name),
            "a@b.example", row.role, row.year, "active", row.status,
            "checks_not_complete", row.since, row.text,
        )
        for row in rows
    ]  # fmt: skip
    await connection.copy_records_to_table("participant_views", records=records, columns=COLUMNS)
    await connection.execute("ANALYZE participant_views")
    await connection.close()


@asynccontextmanager
async def filled(databases: Databases) -> AsyncIterator[Filled]:
    database = await databases.new("participants")
    random_ = random.Random(5)
    rows = {uuid4(): [made(n, random_) for n in range(size)] for size in (MANY, FEW)}
    for organisation, theirs in rows.items():
        assert any(len(row.text.encode()) > 2_000 for row in theirs), "none that an index could not hold"
        await write(database, organisation, theirs)
    reader = create_engine(database.extra_urls["participants_reader"])
    yield Filled(ParticipantQueries(reader), rows)
    await reader.dispose()


@pytest.fixture(scope="module")
async def lists(databases: Databases) -> AsyncIterator[Filled]:
    async with filled(databases) as made_:
        yield made_


ORDERS: dict[Sort, Any] = {
    Sort.NAME: lambda row: (searchable(row.name), row.participant_id),
    Sort.CHANGED: lambda row: (row.since, row.participant_id),
}


def expected(rows: list[Row], query: ListQuery) -> tuple[Counter[str], list[UUID]]:
    since = query.changed_since
    found = [
        row
        for row in rows
        if all(word in row.text for word in query.words)
        and (not query.roles or row.role in query.roles)
        and (not query.academic_years or row.year in query.academic_years)
        and (not isinstance(since, datetime) or row.since >= since)
    ]
    shown = [row for row in found if not query.statuses or row.status in query.statuses]
    down = query.sort.value.startswith("-")
    ordered = sorted(shown, key=ORDERS[Sort(query.sort.value.removeprefix("-"))], reverse=down)
    return Counter(row.status for row in found), [row.participant_id for row in ordered]


WORDS = (
    ["zh"], ["school"], ["z"], ["li"], ["7"], ["99"], ["zh", "school"], ["zhang", "0"], ["ł"], ["zł"],
    ["ed zh"], ["x" * 200], ["_"], ["%"], ["(a"], ["d)"], ["nobody"], ["🜨"], ["ng"], ["ed"], ["o’"], ["a_"],
    ["\\"],
)  # fmt: skip


@pytest.mark.parametrize("words", WORDS, ids=lambda words: " ".join(words)[:20])
async def test_a_search_finds_what_holds_its_words_among_few_and_many(
    lists: Filled, words: list[str]
) -> None:
    random_ = random.Random(str(words))
    for organisation, rows in lists.rows.items():
        for sort in Sort:
            query = ListQuery(
                words=tuple(words),
                roles=random_.choice([(), (ParticipantRole.MENTOR,)]),
                academic_years=random_.choice([(), (2024,), (2024, 2025)]),
                statuses=random_.choice([(), (Status.CHECKING_QTS,)]),
                changed_since=random_.choice([None, BEGAN + timedelta(hours=400)]),
                sort=sort,
            )
            counts, order = expected(rows, query)
            size = 50
            pages = max(1, -(-len(order) // size))
            for page in {1, pages, (pages + 1) // 2}:
                scope = Scope(OrganisationKind.DELIVERY_PARTNER, organisation)
                found = await lists.queries.page(scope, query, Paging(page, size))
                assert +Counter(found.body["by_status"]) == counts
                assert found.participant_ids == order[(page - 1) * size : page * size]


async def test_another_organisations_rows_are_never_found(lists: Filled) -> None:
    scope = Scope(OrganisationKind.DELIVERY_PARTNER, uuid4())
    found = await lists.queries.page(scope, ListQuery(words=("zh",)), Paging(1, 50))
    assert (found.total, found.participant_ids) == (0, [])

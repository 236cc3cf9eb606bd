"""What people look at, and three ways to find it: ours, the bare SQL, the original's."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID, uuid4

import asyncpg
import orjson

from services.participants.domain.decision import DetailsGiven, StatusInputs, decide_status
from services.participants.domain.status import Status
from services.participants.list_query import ListQuery, Paging, Sort
from services.participants.list_sql import COLUMNS, ONE, ORGANISATION, YEARS, page_statement
from services.participants.queries import ParticipantQueries
from services.participants.scope import Scope
from shared.contracts.manage_ects import InductionStatus, ParticipantRole, Programme, TrainingStatus

Look = Callable[[], Awaitable[object]]
SIZE: Final = 50


@dataclass(frozen=True, slots=True)
class Looking:
    """url: the same through the HTTP interface."""

    query: ListQuery
    page: int
    url: str


LOOKS: Final[Mapping[str, Looking]] = {
    "first page": Looking(ListQuery(), 1, "/participants"),
    "one status": Looking(ListQuery(statuses=(Status.CHECKING_QTS,)), 1, "/participants?status=checking_qts"),
    "one year": Looking(ListQuery(academic_years=(2024,)), 1, "/participants?academic_year=2024"),
    "role, year and status": Looking(
        ListQuery(roles=(ParticipantRole.MENTOR,), academic_years=(2024,), statuses=(Status.CHECKING_QTS,)),
        1,
        "/participants?role=mentor&academic_year=2024&status=checking_qts",
    ),
    "newest changes": Looking(ListQuery(sort=Sort.CHANGED_DOWN), 1, "/participants?sort=-changed"),
    "search, rare (a TRN)": Looking(ListQuery(words=("1000123",)), 1, "/participants?q=1000123"),
    "search, common (smith)": Looking(ListQuery(words=("smith",)), 1, "/participants?q=smith"),
    "search, two letters (zh)": Looking(ListQuery(words=("zh",)), 1, "/participants?q=zh"),
    "search, one in 14 (ia)": Looking(ListQuery(words=("ia",)), 1, "/participants?q=ia"),
    "search, everybody (school)": Looking(ListQuery(words=("school",)), 1, "/participants?q=school"),
    "page 400": Looking(ListQuery(), 400, "/participants?page=400"),
}


def ours(queries: ParticipantQueries, scope: Scope, looking: Looking) -> Look:
    return lambda: queries.page(scope, looking.query, Paging(looking.page, SIZE))


def bare(owner: asyncpg.Connection, scope: Scope, looking: Looking) -> Look:
    """The same question alone: no transaction, no policy, no function, and rows as asyncpg gives them.

    Without a search it is our statement. With one, it is what somebody would write who has the same indexes.
    """
    statement = page_statement(scope, looking.query, Paging(looking.page, SIZE))
    text, values = statement.text, statement.values
    if looking.query.words:
        conditions = "".join(f" AND search_text LIKE '%{word}%'" for word in looking.query.words)
        text, values = SEARCH.format(conditions=conditions), statement.values[:2]
    return lambda: owner.fetch(text, *values)


SEARCH: Final = f"""
    WITH found AS MATERIALIZED (
        SELECT participant_id, sort_name, status FROM participant_views WHERE {ORGANISATION}{{conditions}}
    ), page AS (
        SELECT participant_id FROM found ORDER BY sort_name, participant_id LIMIT {SIZE}
    )
    SELECT counts.*, shown.*
    FROM (
        SELECT (
            SELECT CAST(json_object_agg(status, n) AS text)
            FROM (SELECT status, count(*) AS n FROM found GROUP BY status) AS s
        ) AS by_status, ARRAY({YEARS}) AS years
    ) AS counts
    LEFT JOIN (
        SELECT {COLUMNS}, sort_name
        FROM participant_views WHERE {ORGANISATION} AND participant_id = ANY (ARRAY(TABLE page))
    ) AS shown ON true
    ORDER BY sort_name, participant_id
"""  # noqa: S608


async def least_store(owner: asyncpg.Connection) -> None:
    """Where `least` writes."""
    await owner.execute("CREATE TABLE least_views (id bigserial PRIMARY KEY, data jsonb NOT NULL)")


def least(owner: asyncpg.Connection, question: Look) -> Look:
    """What nobody can leave out who asks the database and records the view before it is shown."""
    data = orjson.dumps({"participant_ids": [uuid4() for _ in range(SIZE)]}).decode()

    async def look() -> None:
        await question()
        await owner.execute("INSERT INTO least_views (data) VALUES ($1)", data)

    return look


def bare_person(owner: asyncpg.Connection, scope: Scope, participant_id: UUID) -> Look:
    """One person and the history of the status, alone."""
    return lambda: owner.fetchrow(ONE, scope.organisation_id, scope.kind.value, participant_id)


def original(owner: asyncpg.Connection, scope: Scope, looking: Looking) -> Look:
    """As the original does it: every row is fetched, its status worked out, then filtered and cut to a page.

    Kinder than the original: the decision is ours, and nothing has to be joined.
    """
    words = looking.query.words

    async def look() -> object:
        text = f"SELECT {COLUMNS}, search_text FROM participant_views WHERE {ORGANISATION} ORDER BY sort_name"  # noqa: S608
        counts: dict[Status, int] = {}
        found = []
        for row in await owner.fetch(text, scope.organisation_id, scope.kind.value):
            status = decide_status(_inputs(row)).status
            if all(word in row["search_text"] for word in words):
                counts[status] = counts.get(status, 0) + 1
                found.append((row, status))
        return found[(looking.page - 1) * SIZE : looking.page * SIZE], counts

    return look


def _inputs(row: asyncpg.Record) -> StatusInputs:
    return StatusInputs(
        ParticipantRole(row["role"]),
        row["trn"] is not None,
        DetailsGiven(trn_given=True, api_failure=False),
        None,
        None,
        row["induction_completed_on"] is not None,
        InductionStatus.ACTIVE,
        TrainingStatus(row["training_status"]),
        False,
        None,
        False,
        Programme.FULL,
        True,
        False,
        False,
    )

"""A list's query as SQL for asyncpg: which rows it finds, in which order, and how many of each status.

The page and the export are made of the same `_found`, so that a file holds what the page showed. Values are
parameters; what stands in the text is written here. Why not SQLAlchemy: docs/decisions/0022.
"""

from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Final

from services.participants.list_query import LastVisit, ListQuery, Paging, Sort
from services.participants.scope import Scope
from shared.clock import LONDON

ORGANISATION: Final = "organisation_id = $1 AND organisation_kind = $2"
"""A condition of every statement, besides row-level security."""

ORDERS: Final = {
    Sort.NAME: "sort_name, participant_id",
    Sort.NAME_DOWN: "sort_name DESC, participant_id DESC",
    Sort.CHANGED: "status_since, participant_id",
    Sort.CHANGED_DOWN: "status_since DESC, participant_id DESC",
}
"""Never two rows in the same place: pages neither repeat nor miss anybody."""

COLUMNS: Final = (
    "participant_id, full_name, email, trn, role, lead_provider, school, urn, academic_year, training_status,"
    " status, state, status_since, induction_completed_on"
)

YEARS: Final = f"""
    SELECT DISTINCT academic_year FROM participant_counts
    WHERE {ORGANISATION} AND participants > 0 ORDER BY 1
"""  # noqa: S608

HISTORY: Final = f"""
    SELECT since, status, state, received_at FROM status_history
    WHERE {ORGANISATION} AND participant_id = $3 ORDER BY number
"""  # noqa: S608
ONE: Final = f"""
    SELECT {COLUMNS}, ARRAY(SELECT ROW(change.*) FROM ({HISTORY}) AS change) AS history
    FROM participant_views WHERE {ORGANISATION} AND participant_id = $3
"""  # noqa: S608
"""With the history of the status, a record of `HISTORY` for each change."""


@dataclass(slots=True)
class Statement:
    """text: with $1 for values[0]."""

    text: str
    values: list[object] = field(default_factory=list)

    def value(self, value: object, of: str) -> str:
        """Add a value. Returns what stands for it in the text."""
        self.values.append(value)
        return f"CAST(${len(self.values)} AS {of})"


ROW: Final = slice(2, -1)
"""Where the participant's COLUMNS are in a row of `page_statement`."""


def page_statement(scope: Scope, query: ListQuery, paging: Paging) -> Statement:
    """A row for each participant of the page, one of nulls when there is none.

    In each: `by_status` (JSON; of what is found before the status filter) and `years`. One statement, so
    that all of it is of one moment.
    """
    statement = _begin(scope)
    found = _by_words(statement, query, paging) if query.words else _by_filters(statement, query, paging)
    statement.text = f"""
        WITH found AS MATERIALIZED ({found})
        SELECT found.by_status, ARRAY({YEARS}) AS years, shown.*
        FROM found
        LEFT JOIN (
            SELECT {COLUMNS}, sort_name FROM participant_views
            WHERE {ORGANISATION} AND participant_id = ANY (CAST((SELECT page FROM found) AS uuid[]))
        ) AS shown ON true
        ORDER BY {ORDERS[query.sort]}
    """  # noqa: S608
    return statement


def _by_filters(statement: Statement, query: ListQuery, paging: Paging) -> str:
    """The counts by status, and who is on the page."""
    filters = _filters(statement, query)
    counted = f"count(*) AS participants FROM participant_views WHERE {ORGANISATION}"
    if not query.changed_since:
        counted = f"sum(participants) AS participants FROM participant_counts WHERE {ORGANISATION}"
    size, offset = _cut(statement, paging)
    return f"""
        SELECT (
            SELECT CAST(json_object_agg(status, participants) AS text)
            FROM (SELECT status, {counted}{filters} GROUP BY status) AS s
        ) AS by_status, ARRAY(
            SELECT participant_id FROM participant_views
            WHERE {ORGANISATION}{filters}{_statuses(statement, query)}
            ORDER BY {ORDERS[query.sort]} LIMIT {size} OFFSET {offset}
        ) AS page
    """  # noqa: S608


def _by_words(statement: Statement, query: ListQuery, paging: Paging) -> str:
    """The same by a function: row-level security would not let the indexes be used (migration 0005)."""
    since = _moment(query.changed_since)
    size, offset = _cut(statement, paging)
    return f"""
        SELECT by_status, page FROM participants_found(
            patterns => {statement.value(_patterns(query), "text[]")},
            roles => {statement.value([role.value for role in query.roles] or None, "text[]")},
            years => {statement.value(list(query.academic_years) or None, "int[]")},
            statuses => {statement.value([status.value for status in query.statuses] or None, "text[]")},
            since => {statement.value(since, "timestamptz")},
            told => {statement.value(isinstance(query.changed_since, datetime), "boolean")},
            sort => {statement.value(query.sort.value, "text")},
            size => {size}, skip => {offset})
    """  # noqa: S608


def _cut(statement: Statement, paging: Paging) -> tuple[str, str]:
    """LIMIT and OFFSET."""
    size = statement.value(paging.size, "int")
    return size, statement.value((paging.page - 1) * paging.size, "bigint")


def rows_statement(scope: Scope, query: ListQuery, cells: str) -> Statement:
    """All rows of the list; cells: what to select of each, for a file (copying.cells)."""
    statement = _begin(scope)
    statement.text = f"SELECT {cells} {_all(statement, query)} ORDER BY {ORDERS[query.sort]}"
    return statement


def total_statement(scope: Scope, query: ListQuery) -> Statement:
    """How many `rows_statement` returns in the same snapshot."""
    statement = _begin(scope)
    statement.text = f"SELECT count(*) {_all(statement, query)}"
    return statement


def _all(statement: Statement, query: ListQuery) -> str:
    matching = ""
    if query.words:
        patterns = statement.value(_patterns(query), "text[]")
        matching = f" AND participant_id IN (SELECT participant_id FROM participants_matching({patterns}))"  # noqa: S608
    filters = _filters(statement, query) + _statuses(statement, query)
    return f"FROM participant_views WHERE {ORGANISATION}{matching}{filters}"


def _begin(scope: Scope) -> Statement:
    return Statement("", [scope.organisation_id, scope.kind.value])


def _patterns(query: ListQuery) -> list[str]:
    escaped = (word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") for word in query.words)
    return [f"%{word}%" for word in escaped]


def _filters(statement: Statement, query: ListQuery) -> str:
    """By role, year and change: what the counts by status are counts of."""
    conditions = ""
    if query.roles:
        conditions += f" AND role = ANY ({statement.value([r.value for r in query.roles], 'text[]')})"
    if query.academic_years:
        years = statement.value(list(query.academic_years), "int[]")
        conditions += f" AND academic_year = ANY ({years})"
    return conditions + _changed(statement, query)


def _changed(statement: Statement, query: ListQuery) -> str:
    if not query.changed_since:
        return ""
    since = statement.value(_moment(query.changed_since), "timestamptz")
    if not isinstance(query.changed_since, datetime):
        return f" AND status_since >= {since}"
    return f""" AND (status_since >= {since} OR participant_id IN (
        SELECT participant_id FROM status_history WHERE {ORGANISATION} AND received_at > {since}
    ))"""  # noqa: S608


def _moment(since: date | datetime | LastVisit | None) -> datetime | None:
    """A day begins at midnight in England."""
    match since:
        case datetime() as moment:
            return moment
        case date() as day:
            return datetime.combine(day, time(), LONDON)
        case None:
            return None
        case LastVisit():
            raise ValueError("the last visit has to be resolved to a moment")


def _statuses(statement: Statement, query: ListQuery) -> str:
    if not query.statuses:
        return ""
    return f" AND status = ANY ({statement.value([s.value for s in query.statuses], 'text[]')})"

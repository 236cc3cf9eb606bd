"""What is read for one organisation: a page of its list, one participant, all rows of a list.

The organisation is a condition of every statement here (list_sql), and of the database's row-level security:
the readers' role sees nothing until the transaction has said for whom it reads.
"""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Any, Final
from uuid import UUID

import asyncpg
import orjson

from services.participants.copying import AT_ONCE, STEADILY, cells, copied
from services.participants.domain.explanations import explanation, reason
from services.participants.domain.status import State, Status
from services.participants.list_query import ListQuery, Paging
from services.participants.list_sql import ONE, ROW, page_statement, rows_statement, total_statement
from services.participants.precedence import Precedence
from services.participants.replica import PRIMARY, Replica, Source, ask_of, reading_from
from services.participants.rows_query import RowsQuery
from services.participants.scope import Scope
from services.participants.summary import summarise
from shared.contracts.participants import ParticipantSummary

Json = dict[str, Any]

STATUSES: Final = tuple(status.value for status in Status)
COMPLETED: Final = Status.INDUCTION_COMPLETED.value


class PagePastTheEnd(Exception):
    """pages: how many there are."""

    def __init__(self, pages: int) -> None:
        super().__init__(f"there are {pages} pages")
        self.pages = pages


@dataclass(frozen=True, slots=True)
class FoundPage:
    """body: a ParticipantPage, not yet as JSON. It is not made of models: that took longer than the query."""

    body: Json
    total: int
    participant_ids: list[UUID]


class ParticipantQueries:
    """readers: of the role participants_reader. precedence: of people before the rows of files.

    replica: what is asked instead, while it is known to be little behind.
    """

    def __init__(self, readers: asyncpg.Pool, precedence: Precedence, replica: Replica | None = None) -> None:
        self._readers = readers
        self.precedence = precedence
        self._replica = replica

    def _source(self) -> Source:
        return self._replica.source() if self._replica else PRIMARY

    async def check(self) -> None:
        """Raises when the database does not answer this role."""
        await self._readers.fetchval("SELECT 1")

    async def page(self, scope: Scope, query: ListQuery, paging: Paging) -> FoundPage:
        """Return one page, with counts that agree with it. Raises PagePastTheEnd."""
        statement = page_statement(scope, query, paging)
        source = self._source()
        records = await ask_of(source, self._readers, statement.text, statement.values)
        counted = orjson.loads(records[0]["by_status"] or "{}")
        by_status = {status: counted.get(status, 0) for status in STATUSES}
        total = sum(by_status[status] for status in query.statuses or STATUSES)
        pages = max(1, -(-total // paging.size))
        if paging.page > pages:
            raise PagePastTheEnd(pages)
        shown = [record[ROW] for record in records if record["participant_id"]]
        body = {
            "rows": [_row(columns) for columns in shown],
            "total": total,
            "page": paging.page,
            "pages": pages,
            "size": paging.size,
            "by_status": by_status,
            "academic_years": records[0]["years"],
            "changed_since": query.changed_since if isinstance(query.changed_since, datetime) else None,
            "as_of": source.as_of,
        }
        return FoundPage(body, total, [participant_id for participant_id, *_ in shown])

    async def one(self, scope: Scope, participant_id: UUID) -> Json | None:
        """Return a ParticipantDetail, not yet as JSON; None when it is not this organisation's."""
        source = self._source()
        values = scope.organisation_id, scope.kind.value, participant_id
        records = await ask_of(source, self._readers, ONE, values)
        if not records:
            return None
        *columns, history = records[0]
        return {
            "participant": _row(columns),
            "history": [_change(*change) for change in history],
            "as_of": source.as_of,
        }

    async def summary(self, scope: Scope, today: date) -> ParticipantSummary:
        """Return the organisation in numbers, all of one moment."""
        source = self._source()
        async with reading_from(source, self._readers, scope) as connection:
            return await summarise(connection, scope, today, source.as_of)

    async def records(self, scope: Scope, query: RowsQuery) -> tuple[int, AsyncGenerator[bytes]]:
        """How many rows GET /participants/rows gives, and the rows, all from one snapshot.

        Take the rows or close them: the snapshot is held until then.
        """
        stream = self._records(scope, query)
        total = await anext(stream)
        return int(total), stream

    async def _records(self, scope: Scope, query: RowsQuery) -> AsyncGenerator[bytes]:
        """Yield the total first."""
        total = total_statement(scope, query.found)
        rows = rows_statement(scope, query.found, cells(query.columns, query.formulas))
        async with reading_from(self._source(), self._readers, scope) as connection:
            yield b"%d" % await connection.fetchval(total.text, *total.values)
            # A search has no index in this order: it would read the whole list to find a few.
            steadily = self.precedence.people_are_about() and not query.found.words
            await connection.execute(STEADILY if steadily else AT_ONCE)
            async with aclosing(copied(connection, rows, self.precedence)) as pieces:
                async for piece in pieces:
                    yield piece


@cache
def _words(status: str, state: str) -> tuple[str, str, str]:
    return Status(status).label, explanation(Status(status)), reason(State(state))


def _row(columns: Sequence[Any]) -> Json:
    """columns: those of list_sql.COLUMNS. Taken apart at once, since looking each up by name took longer."""
    (
        participant_id,
        full_name,
        email,
        trn,
        role,
        lead_provider,
        school,
        urn,
        academic_year,
        training_status,
        status,
        state,
        status_since,
        induction_completed_on,
    ) = columns
    label, explained, why = _words(status, state)
    return {
        "participant_id": str(participant_id),
        "full_name": full_name,
        "email": email,
        "trn": trn,
        "role": role,
        "lead_provider": lead_provider,
        "school": school,
        "urn": urn,
        "academic_year": academic_year,
        "training_status": training_status,
        "status": status,
        "status_label": label,
        "status_explanation": explained,
        "reason": why,
        "status_since": status_since,
        "induction_completed_on": induction_completed_on if status == COMPLETED else None,
    }


def _change(since: datetime, status: str | None, state: str | None, received_at: datetime) -> Json:
    return {
        "since": since,
        "status": status,
        "status_label": Status(status).label if status else None,
        "reason": reason(State(state)) if state else None,
        "received_at": received_at,
    }

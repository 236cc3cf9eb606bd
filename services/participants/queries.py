"""What is read for one organisation: a page of its list, one participant, all rows of a list.

The organisation is a condition of every statement here, and of the database's row-level security: the
engine's role sees nothing until the transaction has said for whom it reads.
"""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, and_, func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.participants.domain.explanations import explanation, reason
from services.participants.domain.status import State, Status
from services.participants.list_query import ListQuery, Paging
from services.participants.summary import summarise
from services.participants.tables import participant_views as views
from services.participants.tables import status_history as history
from shared.contracts.manage_ects import OrganisationKind, ParticipantRole
from shared.contracts.participants import (
    ParticipantDetail,
    ParticipantPage,
    ParticipantRow,
    ParticipantSummary,
    StatusChange,
)

ROWS_AT_ONCE = 1_000
"""Of a stream: fetched together, so that memory does not grow with the list."""

ROLE_LABELS = {ParticipantRole.ECT.value: "Early career teacher", ParticipantRole.MENTOR.value: "Mentor"}

IN_ORDER = (views.c.sort_name, views.c.participant_id)
"""By name, and never two rows in the same place: pages neither repeat nor miss anybody."""

ACADEMIC_YEARS = text("""
    WITH RECURSIVE years (year) AS (
        (SELECT min(academic_year) FROM participant_views
         WHERE organisation_id = :organisation AND organisation_kind = :kind)
        UNION ALL
        SELECT (SELECT min(academic_year) FROM participant_views
                WHERE organisation_id = :organisation AND organisation_kind = :kind
                AND academic_year > years.year)
        FROM years WHERE years.year IS NOT NULL
    )
    SELECT year FROM years WHERE year IS NOT NULL
""")
"""From one year to the next by the index: as many looks as there are years, whatever the number of rows."""


@dataclass(frozen=True, slots=True)
class Scope:
    """The organisation for which everything is read."""

    kind: OrganisationKind
    organisation_id: UUID


class PagePastTheEnd(Exception):
    """pages: how many there are."""

    def __init__(self, pages: int) -> None:
        super().__init__(f"there are {pages} pages")
        self.pages = pages


class ParticipantQueries:
    """engine: of the role participants_reader."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def check(self) -> None:
        """Raises when the database does not answer this role."""
        async with self._engine.connect() as connection:
            await connection.execute(select(1))

    async def page(self, scope: Scope, query: ListQuery, paging: Paging) -> ParticipantPage:
        """Return one page, with counts that agree with it. Raises PagePastTheEnd."""
        async with self._snapshot(scope) as connection:
            found = _found(scope, query)
            counts = await connection.execute(
                select(views.c.status, func.count()).where(found).group_by(views.c.status)
            )
            by_status = {status.value: 0 for status in Status} | {row[0]: row[1] for row in counts}
            chosen = query.statuses or tuple(Status)
            total = sum(by_status[status.value] for status in chosen)
            pages = max(1, -(-total // paging.size))
            if paging.page > pages:
                raise PagePastTheEnd(pages)
            rows = await connection.execute(
                select(views)
                .where(found, _status(query))
                .order_by(*IN_ORDER)
                .limit(paging.size)
                .offset((paging.page - 1) * paging.size)
            )
            years = await connection.scalars(
                ACADEMIC_YEARS, {"organisation": scope.organisation_id, "kind": scope.kind.value}
            )
            return ParticipantPage(
                rows=[_row(row) for row in rows],
                total=total,
                page=paging.page,
                pages=pages,
                size=paging.size,
                by_status=by_status,
                academic_years=list(years),
            )

    async def one(self, scope: Scope, participant_id: UUID) -> ParticipantDetail | None:
        """Return one participant with the history of the status; None when it is not this organisation's."""
        async with self._snapshot(scope) as connection:
            row = (
                await connection.execute(
                    select(views).where(_of(scope), views.c.participant_id == participant_id)
                )
            ).one_or_none()
            if row is None:
                return None
            changes = await connection.execute(
                select(history)
                .where(
                    history.c.participant_id == participant_id,
                    history.c.organisation_id == scope.organisation_id,
                    history.c.organisation_kind == scope.kind.value,
                )
                .order_by(history.c.number)
            )
            return ParticipantDetail(participant=_row(row), history=[_change(change) for change in changes])

    async def summary(self, scope: Scope, today: date) -> ParticipantSummary:
        """Return the organisation in numbers, all of one moment."""
        async with self._snapshot(scope) as connection:
            return await summarise(connection, scope.kind.value, scope.organisation_id, today)

    async def lines(self, scope: Scope, query: ListQuery) -> AsyncGenerator[object, None]:
        """Yield the lines of GET /participants/rows, all from one snapshot: see EXPORT_COLUMNS."""
        async with self._snapshot(scope) as connection:
            found = and_(_found(scope, query), _status(query))
            yield {"total": await connection.scalar(select(func.count()).select_from(views).where(found))}
            sent = 0
            statement = select(
                views.c.full_name,
                views.c.email,
                views.c.trn,
                views.c.role,
                views.c.lead_provider,
                views.c.school,
                views.c.urn,
                views.c.academic_year,
                views.c.training_status,
                views.c.status,
            )
            async with connection.stream(
                statement.where(found).order_by(*IN_ORDER), execution_options={"yield_per": ROWS_AT_ONCE}
            ) as stream:
                async for row in stream:
                    sent += 1
                    yield _export_row(row)
            yield {"end": sent}

    @asynccontextmanager
    async def _snapshot(self, scope: Scope) -> AsyncIterator[AsyncConnection]:
        """One moment of the database, of which the organisation's rows are seen."""
        async with self._engine.connect() as raw:
            connection = await raw.execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )
            async with connection.begin():
                await connection.execute(
                    select(
                        func.set_config("check_data.organisation", str(scope.organisation_id), True),
                        func.set_config("check_data.organisation_kind", scope.kind.value, True),
                    )
                )
                yield connection


def _of(scope: Scope) -> ColumnElement[bool]:
    return and_(
        views.c.organisation_id == scope.organisation_id, views.c.organisation_kind == scope.kind.value
    )


def _found(scope: Scope, query: ListQuery) -> ColumnElement[bool]:
    """By search, role and year: what the counts by status are counts of."""
    conditions = [_of(scope)]
    conditions += [views.c.search_text.contains(word, autoescape=True) for word in query.words]
    if query.roles:
        conditions.append(views.c.role.in_([role.value for role in query.roles]))
    if query.academic_years:
        conditions.append(views.c.academic_year.in_(query.academic_years))
    return and_(*conditions)


def _status(query: ListQuery) -> ColumnElement[bool]:
    if not query.statuses:
        return and_(True)
    return views.c.status.in_([status.value for status in query.statuses])


def _row(row: Row[Any]) -> ParticipantRow:
    status = Status(row.status)
    return ParticipantRow(
        participant_id=row.participant_id,
        full_name=row.full_name,
        email=row.email,
        trn=row.trn,
        role=row.role,
        lead_provider=row.lead_provider,
        school=row.school,
        urn=row.urn,
        academic_year=row.academic_year,
        training_status=row.training_status,
        status=status.value,
        status_label=status.label,
        status_explanation=explanation(status),
        reason=reason(State(row.state)),
        status_since=row.status_since,
        induction_completed_on=row.induction_completed_on if status is Status.INDUCTION_COMPLETED else None,
    )


def _change(row: Row[Any]) -> StatusChange:
    return StatusChange(
        since=row.since,
        status=row.status,
        status_label=Status(row.status).label if row.status else None,
        reason=reason(State(row.state)) if row.state else None,
        received_at=row.received_at,
    )


def _export_row(row: Row[*tuple[Any, ...]]) -> list[str | None]:
    return [
        row.full_name,
        row.email,
        row.trn,
        ROLE_LABELS[row.role],
        row.lead_provider,
        row.school,
        row.urn,
        str(row.academic_year),
        row.training_status,
        Status(row.status).label,
    ]

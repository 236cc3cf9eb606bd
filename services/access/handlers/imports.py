"""Lists taken in as CSV: agreements, and first users as the lead providers' lists name them.

Every line goes through the same commands as a form does, so an imported user is a request like any other:
four eyes, policy check and lead provider follow. A dry run does it all, tells what came of each line, and
takes it back.
"""

import csv
import io
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.access.domain.coverage import Terms
from services.access.domain.events import Event
from services.access.domain.refusals import (
    AlreadyGranted,
    AlreadyRecorded,
    AlreadyRequested,
    NotUnderstood,
    Refused,
    Suspended,
)
from services.access.domain.vocabulary import Actor, OrganisationId, OrganisationKind, Role
from services.access.handlers.agreements import record_terms
from services.access.handlers.deciding import deciding
from services.access.handlers.requests import Nomination, nominate
from services.access.queries.people import look_alikes_of
from services.access.tables import organisations, requests
from shared.event_store import EventStore, Transaction

AGREEMENT_COLUMNS: Final = ("delivery_partner", "lead_provider", "starts_on", "ends_on", "reference")
USER_COLUMNS: Final = ("full_name", "email", "organisation", "role")
MOST_LINES: Final = 500
LONGEST_REFERENCE: Final = 200
KNOWN: Final = (AlreadyGranted, AlreadyRecorded, AlreadyRequested, Suspended)


class LineOutcome(StrEnum):
    """The same words as in the contract."""

    NEW = "new"
    KNOWN = "known"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class ImportedLine:
    """number: of the line in the file, the header being the first. sentence: what was done, or why not."""

    number: int
    about: str
    outcome: LineOutcome
    sentence: str


TakeIn = Callable[[Transaction[Event], Mapping[str, str]], Awaitable[str]]
"""Takes one line in and returns a sentence. Raises a Refused."""


class _TakenBack(Exception):
    """Ends the transaction of a dry run."""

    def __init__(self, lines: Sequence[ImportedLine]) -> None:
        self.lines = lines


async def import_agreements(
    store: EventStore[Event], text: str, *, by: Actor, at: datetime, dry_run: bool
) -> Sequence[ImportedLine]:
    """Columns: delivery_partner, lead_provider (names), starts_on, ends_on (like 2026-09-01), reference.

    Raises NotUnderstood for what is no such file.
    """

    async def take_in(transaction: Transaction[Event], line: Mapping[str, str]) -> str:
        connection = transaction.connection
        reference = line["reference"]
        if not 0 < len(reference) <= LONGEST_REFERENCE:
            raise NotUnderstood(f"The reference must have 1 to {LONGEST_REFERENCE} characters.")
        terms = Terms(
            await _named(connection, line["delivery_partner"], OrganisationKind.DELIVERY_PARTNER),
            await _named(connection, line["lead_provider"], OrganisationKind.LEAD_PROVIDER),
            _day(line["starts_on"], "starts_on"),
            _day(line["ends_on"], "ends_on"),
            reference,
        )
        await record_terms(transaction, terms, by=by, at=at)
        return "The agreement is recorded."

    lines = _read(text, AGREEMENT_COLUMNS)
    return await _import(store, lines, "reference", take_in, dry_run=dry_run)


async def import_users(
    store: EventStore[Event], text: str, *, by: Actor, at: datetime, reason: str, dry_run: bool
) -> Sequence[ImportedLine]:
    """Columns: full_name, email, organisation (name), role (delivery_partner or appropriate_body).

    reason: for all of them, such as whose list it is. Raises NotUnderstood for what is no such file.
    """

    async def take_in(transaction: Transaction[Event], line: Mapping[str, str]) -> str:
        connection = transaction.connection
        try:
            role = Role(line["role"] or Role.DELIVERY_PARTNER)
            kind = OrganisationKind(role.value)
        except ValueError:
            raise NotUnderstood("The role is delivery_partner or appropriate_body.") from None
        organisation_id = await _named(connection, line["organisation"], kind)
        nomination = Nomination(line["full_name"], line["email"], role, organisation_id, reason)
        request_id = await nominate(transaction, nomination, by=by, at=at)
        person_id = await connection.scalar(
            select(requests.c.person_id).where(requests.c.request_id == request_id)
        )
        alike = await look_alikes_of(connection, person_id) if person_id else []
        closely = "".join(f" Look closely: {a.why.lower()}, compared with {a.email}." for a in alike)
        return f"A request is entered: a colleague has to look at it first.{closely}"

    lines = _read(text, USER_COLUMNS)
    return await _import(store, lines, "email", take_in, dry_run=dry_run)


async def _import(
    store: EventStore[Event],
    lines: Sequence[tuple[int, Mapping[str, str]]],
    about: str,
    take_in: TakeIn,
    *,
    dry_run: bool,
) -> Sequence[ImportedLine]:
    async def act(transaction: Transaction[Event]) -> Sequence[ImportedLine]:
        done = [await _take_one(transaction, number, line, about, take_in) for number, line in lines]
        if dry_run:
            raise _TakenBack(done)
        return done

    try:
        return await deciding(store, act)
    except _TakenBack as taken_back:
        return taken_back.lines


async def _take_one(
    transaction: Transaction[Event], number: int, line: Mapping[str, str], about: str, take_in: TakeIn
) -> ImportedLine:
    """What a line began and could not finish is taken back; the other lines are untouched."""
    try:
        async with transaction.connection.begin_nested():
            sentence = await take_in(transaction, line)
    except Refused as refused:
        outcome = LineOutcome.KNOWN if isinstance(refused, KNOWN) else LineOutcome.REFUSED
        return ImportedLine(number, line[about], outcome, str(refused))
    return ImportedLine(number, line[about], LineOutcome.NEW, sentence)


def _read(text: str, columns: Sequence[str]) -> Sequence[tuple[int, Mapping[str, str]]]:
    reader = csv.DictReader(io.StringIO(text.lstrip("\ufeff"), newline=""), strict=True)
    try:
        heads = [head.strip().lower() for head in reader.fieldnames or ()]
        if missing := [column for column in columns if column not in heads]:
            raise NotUnderstood(f"The first line must name the columns: {', '.join(missing)} missing.")
        reader.fieldnames = heads
        lines = [(reader.line_num, _values(reader.line_num, line, columns)) for line in reader]
    except csv.Error:
        # Not counted yet when it is wrong in itself; the last one when a quotation mark is never closed.
        number = min(reader.line_num + 1, len(text.splitlines()))
        raise NotUnderstood(f"Line {number} is not CSV: check its quotation marks.") from None
    if not lines:
        raise NotUnderstood("There is no line after the names of the columns.")
    if len(lines) > MOST_LINES:
        raise NotUnderstood(f"Import at most {MOST_LINES} lines at once.")
    return lines


def _values(number: int, line: Mapping[str | None, object], columns: Sequence[str]) -> Mapping[str, str]:
    if None in line:
        raise NotUnderstood(
            f"Line {number} has more values than columns: put a value with a comma in quotation marks."
        )
    return {column: str(line.get(column) or "").strip() for column in columns}


async def _named(connection: AsyncConnection, name: str, kind: OrganisationKind) -> OrganisationId:
    query = select(organisations.c.organisation_id, organisations.c.name).where(
        organisations.c.kind == kind.value
    )
    wanted = " ".join(name.split()).casefold()
    found: list[UUID] = [
        row.organisation_id for row in await connection.execute(query) if row.name.casefold() == wanted
    ]
    words = kind.value.replace("_", " ")
    if not found:
        raise NotUnderstood(f"No {words} has this name. Write it as it is in the list of organisations.")
    if len(found) > 1:
        raise NotUnderstood(f"Several organisations of the kind {words} have this name.")
    return OrganisationId(found[0])


def _day(text: str, column: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise NotUnderstood(f"Write the day in {column} like 2026-09-01.") from None

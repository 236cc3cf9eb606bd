"""All rows of a list for a file: ready CSV, copied out by Postgres itself.

Made by the server, a row costs this process nothing: half a million of them pass as some thousand pieces.
"""

import asyncio
from collections.abc import AsyncGenerator
from typing import Final

import asyncpg

from services.participants.domain.harmless import NEUTRAL, RISKY
from services.participants.domain.status import Status
from services.participants.list_sql import Statement
from services.participants.precedence import Precedence
from shared.contracts.manage_ects import ParticipantRole
from shared.contracts.participants import Formulas
from shared.tasks import stop_tasks

PIECE: Final = 64 * 1024
"""Bytes gathered before they are passed on: Postgres gives some kilobytes at a time."""

AT_ONCE: Final = "SET LOCAL max_parallel_workers_per_gather = 0"
"""For a copy that takes one core at most: Postgres sorts a long list, and then gives it away quickly."""

STEADILY: Final = f"{AT_ONCE}; SET LOCAL enable_sort = off"
"""In the order of an index. It takes longer, but Postgres works no faster than its rows are taken: a sort
would keep a core for a second, whoever waits."""

ROLE_LABELS: Final = {
    ParticipantRole.ECT.value: "Early career teacher",
    ParticipantRole.MENTOR.value: "Mentor",
}


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _label(column: str, labels: dict[str, str]) -> str:
    cases = (f"WHEN {_literal(value)} THEN {_literal(label)}" for value, label in labels.items())
    return f"CASE {column} {' '.join(cases)} END"


COLUMNS: Final = {
    "full_name": "full_name",
    "email_address": "email",
    "trn": "trn",
    "role": _label("role", ROLE_LABELS),
    "lead_provider": "lead_provider",
    "school": "school",
    "school_unique_reference_number": "urn",
    "academic_year": "CAST(academic_year AS text)",
    "training_status": "training_status",
    "status": _label("status", {status.value: status.label for status in Status}),
}
"""By the names of EXPORT_COLUMNS."""

TOLD_BY_OTHERS: Final = frozenset(
    {"full_name", "email_address", "trn", "lead_provider", "school", "school_unique_reference_number"}
)
"""Text that schools and people wrote; all else is of our own words."""


def cells(columns: tuple[str, ...], formulas: Formulas) -> str:
    """What to select for these columns, as a file shows them."""
    selected = [
        harmless_sql(COLUMNS[name])
        if formulas is Formulas.HARMLESS and name in TOLD_BY_OTHERS
        else COLUMNS[name]
        for name in columns
    ]
    if len(selected) == 1:  # a record that is an empty line is none to many readers: this one is written ""
        selected = [f"coalesce({selected[0]}, '')"]
    return ", ".join(selected)


def harmless_sql(text: str) -> str:
    """The rule of domain/harmless.py.

    What begins with an ASCII letter or digit, as nearly all does, is let pass by comparing bytes, for a small
    part of what the pattern costs.
    """
    plain = " OR ".join(
        f"({text} >= '{first}' COLLATE \"C\" AND {text} < '{end}' COLLATE \"C\")"
        for first, end in (("0", ":"), ("A", "["), ("a", "{"))
    )
    risky = f"{text} ~ {_literal(RISKY)}"
    return f"CASE WHEN {plain} THEN {text} WHEN {risky} THEN {_literal(NEUTRAL)} || {text} ELSE {text} END"


async def copied(
    connection: asyncpg.Connection, statement: Statement, precedence: Precedence
) -> AsyncGenerator[bytes]:
    """Yield the rows as CSV records that end with LF, each piece some whole records.

    precedence: copies that share it read piece by piece, so that several long ones cost this machine no more
    at a time than one, and people are answered meanwhile. Until its first piece a copy waits for nobody:
    that is where a short one ends, and where a long one sorts.

    Not faster than they are taken: Postgres waits for the reader, and nothing piles up here. Who closes it in
    the middle closes the connection with it.
    """
    pieces: asyncio.Queue[bytes | None] = asyncio.Queue(maxsize=1)

    async def copy() -> None:
        gathered = bytearray()
        reading = False

        async def gather(piece: bytes) -> None:
            nonlocal reading
            gathered.extend(piece)
            if len(gathered) >= PIECE:
                if reading:
                    reading = False
                    await precedence.end_piece(len(gathered))
                await pieces.put(bytes(gathered))
                gathered.clear()
                await precedence.begin_piece()
                reading = True

        try:
            await connection.copy_from_query(statement.text, *statement.values, output=gather, format="csv")
        finally:
            if reading:
                await precedence.end_piece(len(gathered))
        await pieces.put(bytes(gathered))
        await pieces.put(None)

    copying = asyncio.create_task(copy())
    try:
        while (piece := await _next(pieces, copying)) is not None:
            yield piece
        await copying
    finally:
        if not copying.done():  # asyncpg cannot stop a copy in the middle and go on
            connection.terminate()
            await stop_tasks([copying])


async def _next(pieces: asyncio.Queue[bytes | None], copying: asyncio.Task[None]) -> bytes | None:
    """The next piece. Raises what the copying raised."""
    taking = asyncio.create_task(pieces.get())
    try:
        await asyncio.wait({taking, copying}, return_when=asyncio.FIRST_COMPLETED)
        if not taking.done():
            await copying  # raises; when it has ended well, its last piece is there to be taken
        return await taking
    finally:
        taking.cancel()

"""CSV that every reader takes for the same table, and no spreadsheet takes for a program."""

import csv
import io
import unicodedata
from collections.abc import Iterable, Sequence

Cell = str | int | None

SIGNS = frozenset("=+-@\u2212")
"""What a spreadsheet takes for the beginning of a formula (the last one: minus sign)."""
DROPPED = frozenset("\t\r\n")
"""What some spreadsheets drop at the beginning, and read on."""
NEUTRAL = "'"


def csv_bytes(rows: Iterable[Sequence[Cell]]) -> bytes:
    """Return the rows as CSV: RFC 4180, lines ended by CR LF, UTF-8 without a byte-order mark.

    A row is one record, whatever its text holds. None is an empty cell. Text that a spreadsheet could run
    as a formula gets an apostrophe before it; all other text is given as it is, leading zeros included.
    Source: https://www.rfc-editor.org/rfc/rfc4180
    """
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerows([harmless(cell) for cell in row] for row in rows)
    return text.getvalue().encode()


def harmless(cell: Cell) -> Cell:
    """Return the cell so that a spreadsheet shows it and does not run it."""
    if isinstance(cell, str) and cell and not cell[0].isalnum() and _may_be_run(cell):
        return NEUTRAL + cell
    return cell


def _may_be_run(text: str) -> bool:
    """Whether the first thing to be seen is a sign of a formula, in any width.

    Source: https://owasp.org/www-community/attacks/CSV_Injection
    """
    if text[0] in DROPPED:
        return True
    for character in text:
        if unicodedata.category(character)[0] in "CZ":  # spaces, controls, invisible format characters
            continue
        return unicodedata.normalize("NFKC", character)[0] in SIGNS
    return False

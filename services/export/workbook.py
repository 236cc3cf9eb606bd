"""CSV records → an Excel workbook of one sheet, made on disk: memory does not grow with rows.

Every cell is text: nothing is taken for a formula, a number or a link, and zeros in front stay.
"""

import asyncio
import csv
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import xlsxwriter

from services.export.scratch import pieces_of, scratch_folder

WIDTH, WIDTHS = 24, {"email_address": 40, "lead_provider": 32, "school": 40, "status": 34}
"""In characters: wide enough to read most of what is in a column."""
A4 = 9
"""Source: the list of paper sizes of ECMA-376."""
LONGEST_TEXT = 32_767
"""That a cell takes."""
AS_TEXT = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_numbers": False,
    "strings_to_urls": False,
}


class CellTooLong(Exception):
    """No workbook holds a text as long as that."""


class Workbook:
    """write: CSV records that end with CR LF, cut anywhere. Encoding is UTF-8."""

    def __init__(self, folder: Path, columns: Sequence[str]) -> None:
        self._path = folder / "participants.xlsx"
        self._book = xlsxwriter.Workbook(str(self._path), {**AS_TEXT, "tmpdir": str(folder)})
        self._sheet = self._book.add_worksheet("Participants")
        self._rest: list[bytes] = []
        self._quoted = False
        self._row = 0
        self._add([columns])
        self._sheet.freeze_panes(1, 0)
        for place, column in enumerate(columns):
            self._sheet.set_column(place, place, WIDTHS.get(column, WIDTH))
        self._print_well()

    async def write(self, data: bytes) -> None:
        """In a thread: for each piece there is much to do."""
        await asyncio.to_thread(self._write, data)

    async def finished(self) -> AsyncIterator[bytes]:
        """The workbook, piece by piece."""
        await asyncio.to_thread(self._book.close)
        async for piece in pieces_of(self._path):
            yield piece

    def _print_well(self) -> None:
        """All columns on one page, and their names on each."""
        self._sheet.set_landscape()
        self._sheet.set_paper(A4)
        self._sheet.fit_to_pages(1, 0)
        self._sheet.repeat_rows(0)

    def _write(self, data: bytes) -> None:
        whole: list[bytes] = []
        for line in data.splitlines(keepends=True) if data else ():
            self._rest.append(line)
            self._quoted ^= line.count(b'"') % 2 == 1
            if not self._quoted and line.endswith(b"\n"):
                whole += self._rest
                self._rest = []
        self._add(csv.reader(_texts(b"".join(whole))))

    def _add(self, records: Iterable[Sequence[str]]) -> None:
        for record in records:
            for place, text in enumerate(record):
                if len(text) > LONGEST_TEXT:
                    raise CellTooLong
                self._sheet.write_string(self._row, place, text)
            self._row += 1


def _texts(records: bytes) -> list[str]:
    """Lines that end where the CSV says so: other line ends of Unicode are text."""
    return [line.decode() + "\n" for line in records.split(b"\n")[:-1]]


@asynccontextmanager
async def workbook(columns: Sequence[str]) -> AsyncIterator[Workbook]:
    """A workbook that nobody else reads, and of which nothing is left after the block."""
    async with scratch_folder() as folder:
        yield await asyncio.to_thread(Workbook, folder, columns)

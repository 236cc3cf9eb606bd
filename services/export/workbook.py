"""CSV records → an Excel workbook of one sheet, made on disk: memory does not grow with rows.

Every cell is text: nothing is taken for a formula, a number or a link, and zeros in front stay.
"""

import asyncio
import csv
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import xlsxwriter

READ_BYTES = 256 * 1024
COLUMN_WIDTH = 24
"""In characters: wide enough to read most of what is in them."""
LONGEST_TEXT = 32_767
"""That a cell takes."""
AS_TEXT = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_numbers": False,
    "strings_to_urls": False,
}
FOLDERS = "check-data-workbook-"
LEFT_BEHIND_SECONDS = 6 * 3600.0


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
        self._sheet.set_column(0, len(columns) - 1, COLUMN_WIDTH)

    async def write(self, data: bytes) -> None:
        """In a thread: for each piece there is much to do."""
        await asyncio.to_thread(self._write, data)

    async def finished(self) -> AsyncIterator[bytes]:
        """The workbook, piece by piece."""
        await asyncio.to_thread(self._book.close)
        with self._path.open("rb") as file:
            while piece := await asyncio.to_thread(file.read, READ_BYTES):
                yield piece

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
    """A workbook in a folder of its own, which nobody else reads and which is gone after the block."""
    _remove_left_behind()
    folder = Path(tempfile.mkdtemp(prefix=FOLDERS))
    try:
        yield await asyncio.to_thread(Workbook, folder, columns)
    finally:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


def _remove_left_behind() -> None:
    """Of processes that were killed while they wrote."""
    for folder in Path(tempfile.gettempdir()).glob(f"{FOLDERS}*"):
        with suppress(OSError):  # somebody else removed it
            if time.time() - folder.stat().st_mtime > LEFT_BEHIND_SECONDS:
                shutil.rmtree(folder)

"""What is in a file is what programs read in it: Python's csv, pandas, LibreOffice."""

import csv
import io
import os
import shutil
import subprocess
from pathlib import Path

import pandas
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.export.domain.csv_records import BYTE_ORDER_MARK, Records, header
from services.export.workbook import workbook

COLUMNS = ("full_name", "trn", "school")
TRICKY = [
    ["Zoë Ålund", "0012345", "St Mary’s, Leeds"],
    ["שלום עולם", "0000001", 'The "Old" School'],
    ["e\u0301 combining", "1234567", "two\nlines"],
    ["'=1+1", "'+44 20", "'@SUM(A1)"],
    ["  spaces  ", "1e5", "NULL"],
    ["", "NA", "1/2"],
    ["مرحبا", "007", 'comma, quote " and\nline'],
]
PLAIN = st.characters(exclude_categories=["Cs", "Cc"])
CELLS = st.text(PLAIN, max_size=12) | st.sampled_from([text for row in TRICKY for text in row])
OFFICE = shutil.which("soffice") or shutil.which("libreoffice")
AS_TEXT = "CSV:44,34,76,1,1/2/2/2/3/2"
AS_CSV = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,true,true,false"


def file_of(rows: list[list[str]], mark: bytes = b"") -> bytes:
    """As the worker writes it of what Postgres copies out."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    return mark + header(COLUMNS) + Records().passed(text.getvalue().encode())


@settings(deadline=None, max_examples=60)
@given(st.lists(st.lists(CELLS, min_size=3, max_size=3), min_size=1, max_size=6), st.booleans())
def test_csv_and_pandas_read_the_same_values(rows: list[list[str]], marked: bool) -> None:
    data = file_of(rows, BYTE_ORDER_MARK if marked else b"")
    encoding = "utf-8-sig" if marked else "utf-8"
    read = list(csv.reader(io.StringIO(data.decode(encoding), newline="")))
    assert read == [list(COLUMNS), *rows]
    frame = pandas.read_csv(io.BytesIO(data), dtype=str, keep_default_na=False, encoding=encoding)
    assert list(frame.columns) == list(COLUMNS)
    assert frame.to_numpy().tolist() == rows


@pytest.mark.skipif(
    OFFICE is None or "CHECK_DATA_THOROUGHLY" not in os.environ,
    reason="CHECK_DATA_THOROUGHLY asks LibreOffice, where it is installed",
)
async def test_libreoffice_reads_the_same_values(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_bytes(file_of(TRICKY, BYTE_ORDER_MARK))
    async with workbook(COLUMNS) as book:
        await book.write(file_of(TRICKY)[len(header(COLUMNS)) :])
        (tmp_path / "people.xlsx").write_bytes(b"".join([piece async for piece in book.finished()]))
    expected = [list(COLUMNS), *TRICKY]
    assert _through_office(tmp_path / "people.csv", f"--infilter={AS_TEXT}") == expected
    assert _through_office(tmp_path / "people.xlsx") == expected


def _through_office(path: Path, *options: str) -> list[list[str]]:
    """Opened there, and saved as CSV again."""
    assert OFFICE
    out = path.parent / f"out-{path.suffix[1:]}"
    home = f"-env:UserInstallation={(path.parent / 'office').as_uri()}"
    subprocess.run(
        [OFFICE, home, "--headless", *options, "--convert-to", AS_CSV, "--outdir", str(out), str(path)],
        check=True,
        capture_output=True,
        timeout=120,
    )
    text = (out / "people.csv").read_bytes().decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text, newline="")))

"""A workbook holds every text as it was, as text."""

import csv
import io
import re
import zipfile
from xml.etree import ElementTree

from hypothesis import given, settings
from hypothesis import strategies as st

from services.export.workbook import CellTooLong, workbook

SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
ESCAPED = re.compile(r"_x([0-9A-F]{4})_")
"""How the format writes what XML cannot."""
COLUMNS = ("full_name", "trn", "school")
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\ufffe\uffff"), max_size=20)
LIKE_FORMULAS = st.sampled_from(
    ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", '=HYPERLINK("http://example.org")', "{=1}", "http://example.org"]
)
TRICKY = st.sampled_from(
    [
        "0012345",
        "",
        " x ",
        'a"b',
        "a,b",
        "a\nb",
        "a\r\nb",
        "e\u0301",
        "\u05e9\u05dc\u05d5\u05dd",
        "_x0041_",
        "1e5",
    ]
)


async def written(rows: list[list[str]], cut: int = 7) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    data = text.getvalue().encode()
    async with workbook(COLUMNS) as book:
        for start in range(0, len(data), cut):
            await book.write(data[start : start + cut])
        return b"".join([piece async for piece in book.finished()])


def cells(data: bytes) -> list[tuple[str, str]]:
    """Type and text of each cell that is not empty, in order."""
    with zipfile.ZipFile(io.BytesIO(data)) as book:
        sheet = ElementTree.fromstring(book.read("xl/worksheets/sheet1.xml"))  # noqa: S314  (our own)
    found = []
    for cell in sheet.iter(f"{SHEET}c"):
        assert cell.find(f"{SHEET}f") is None, "a formula"
        text = "".join(each.text or "" for each in cell.iter(f"{SHEET}t"))
        found.append((cell.get("t", ""), ESCAPED.sub(lambda one: chr(int(one[1], 16)), text)))
    return found


@settings(deadline=None, max_examples=60)
@given(st.lists(st.lists(TEXTS | LIKE_FORMULAS | TRICKY, min_size=3, max_size=3), max_size=5))
async def test_texts_are_read_back_as_they_were_and_none_is_a_formula(rows: list[list[str]]) -> None:
    expected = [text for row in [list(COLUMNS), *rows] for text in row if text]
    read = [(kind, text) for kind, text in cells(await written(rows)) if text]
    assert {kind for kind, _ in read} == {"inlineStr"}
    # XML readers make one line feed of a carriage return with a line feed, and of one by itself
    assert [_lines(text) for _, text in read] == [_lines(text) for text in expected]


async def test_a_column_shows_whole_email_addresses_and_a_printed_page_all_columns() -> None:
    async with workbook(("full_name", "email_address")) as book:
        data = b"".join([piece async for piece in book.finished()])
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        sheet = ElementTree.fromstring(file.read("xl/worksheets/sheet1.xml"))  # noqa: S314  (our own)
    name, email = (float(column.get("width", 0)) for column in sheet.iter(f"{SHEET}col"))
    assert name >= 24
    assert email >= 40
    (setup,) = sheet.iter(f"{SHEET}pageSetup")
    assert (setup.get("orientation"), setup.get("fitToHeight")) == ("landscape", "0")


async def test_a_text_longer_than_a_cell_is_not_cut_short() -> None:
    try:
        await written([["x" * 40_000, "", ""]], cut=100_000)
    except CellTooLong:
        return
    raise AssertionError("the text was taken")


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")

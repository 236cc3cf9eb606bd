"""What a partner's program reads back is what we wrote, and a spreadsheet runs none of it."""

import csv
import io
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.export.domain.csv_rows import Cell, csv_bytes, harmless

texts = st.text(max_size=30) | st.text("=+-@'\",;\r\n\t 0٣ア＝－", max_size=12)
cells = texts | st.integers(2020, 2027) | st.none()
tables = st.integers(2, 5).flatmap(lambda width: st.lists(st.lists(cells, min_size=width, max_size=width)))


def read_back(data: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(data.decode("utf-8"), newline="")))


def as_text(cell: Cell) -> str:
    return "" if cell is None else str(harmless(cell))


@given(tables)
def test_reading_back_gives_one_record_for_each_row_with_the_same_values(table: list[list[Cell]]) -> None:
    assert read_back(csv_bytes(table)) == [[as_text(cell) for cell in row] for row in table]


@given(texts)
def test_a_value_is_given_as_it_is_or_with_one_apostrophe_before_it(text: str) -> None:
    assert harmless(text) in (text, "'" + text)


@given(texts)
def test_no_cell_begins_with_a_formula_whatever_is_before_the_sign(text: str) -> None:
    """The oracle looks at the compatibility form of the whole text, as a lenient reader might."""
    shown = str(harmless(text))
    visible = "".join(
        c for c in unicodedata.normalize("NFKC", shown) if unicodedata.category(c)[0] not in "ZC"
    )
    assert not visible.startswith(("=", "+", "-", "@"))
    assert not shown.startswith(("\t", "\r", "\n"))


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "+447700900123",
        "-2+3",
        "@SUM(A1)",
        "\t=1",
        "\rx",
        "\nx",
        "  =cmd|' /C calc'!A0",
        "\u00a0=1",
        "\u3000＝1",
        "＋1",
        "－1",
        "＠x",
        "\ufeff=1",
        "\u200b-1",
        "\u22121",
    ],
)
def test_text_that_could_run_gets_an_apostrophe(text: str) -> None:
    assert harmless(text) == "'" + text


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "Ada Brook",
        "O'Neill-Marsh",
        "ada+school@example.org",
        "0012345",
        "'quoted'",
        "’s",
        "(=1)",
        "שלום",
    ],
)
def test_text_that_cannot_run_is_left_alone(text: str) -> None:
    assert harmless(text) == text


def test_leading_zeros_stay() -> None:
    assert csv_bytes([["0012345", "012345"]]) == b"0012345,012345\r\n"


def test_records_end_with_cr_lf_and_text_is_quoted_only_where_it_must_be() -> None:
    table: list[list[Cell]] = [
        ["full_name", "school"],
        ["Brook, Ada", 'The "Old" School'],
        ["two\nlines", None],
    ]
    expected = b'full_name,school\r\n"Brook, Ada","The ""Old"" School"\r\n"two\nlines",\r\n'
    assert csv_bytes(table) == expected


def test_text_is_utf_8_without_a_byte_order_mark() -> None:
    assert csv_bytes([["Zoë", "مدرسة"]]) == "Zoë,مدرسة\r\n".encode()

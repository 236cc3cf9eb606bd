"""Files for imports: read whatever Excel makes of them, or refused with the line that is wrong."""

import pytest

from services.gateway.csv_file import csv_of
from services.gateway.forms import LONGEST_CSV, Form

LINES = "full_name,email\nZoë Núñez,zoe@example.org"


def uploaded(raw: bytes, **values: str) -> Form:
    return Form(values, files={"file": raw})


@pytest.mark.parametrize("raw", [LINES.encode(), LINES.encode("utf-8-sig"), (LINES + "\r\n").encode()])
def test_a_file_is_text_with_or_without_a_byte_order_mark(raw: bytes) -> None:
    form = uploaded(raw)
    assert csv_of(form) == (LINES, True)
    assert form.values["csv"] == LINES  # into the box: what is imported next is what was checked
    assert not form.errors


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (LINES.encode("latin-1"), "Line 2 of the file is not in UTF-8."),
        (LINES.encode("utf-16"), "The file is not in UTF-8."),
        (b"\xff", "Line 1 of the file is not in UTF-8."),
        (b"", "The file is empty"),
        (b" \r\n", "The file is empty"),
    ],
)
def test_what_is_no_such_file_says_where_it_is_wrong(raw: bytes, message: str) -> None:
    form = uploaded(raw, csv="left from before", action="import")
    assert csv_of(form) == ("", True)
    assert form.errors["file"].startswith(message)


def test_too_long_a_file_is_told_so() -> None:
    form = uploaded(b"x" * (LONGEST_CSV + 1))
    csv_of(form)
    assert form.errors["csv"] == "Use 60,000 characters or fewer. You have used 60,001."


def test_a_program_is_no_csv() -> None:
    form = uploaded(b"MZ\x00\x03")
    csv_of(form)
    assert "csv" in form.errors


def test_only_what_was_checked_is_imported() -> None:
    assert csv_of(Form({"csv": LINES, "action": "import"})) == (LINES, False)
    assert csv_of(Form({"csv": LINES, "action": "check"})) == (LINES, True)
    assert csv_of(uploaded(LINES.encode(), action="import")) == (LINES, True)


def test_neither_file_nor_lines_is_told() -> None:
    form = Form({"csv": ""})
    csv_of(form)
    assert form.errors["csv"] == "Select a file, or paste its lines"

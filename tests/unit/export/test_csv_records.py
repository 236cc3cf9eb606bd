"""Records are counted and end with CR LF, wherever the stream was cut; what is text stays as it is."""

import csv
import io
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from services.export.domain.csv_records import Records, header

texts = st.text(st.characters(codec="utf-8"), max_size=10) | st.text('",\r\n a', max_size=10)
tables = st.integers(2, 4).flatmap(lambda width: st.lists(st.lists(texts, min_size=width, max_size=width)))


def written(table: list[list[str]], line_end: bytes) -> bytes:
    """Quoted as Postgres does: also a CR alone, which Python's writer leaves bare unless its lines end so."""
    return b"".join(_record(row).removesuffix(b"\r\n") + line_end for row in table)


def _record(row: list[str]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerow(row)
    return text.getvalue().encode()


@given(tables, st.data())
def test_wherever_they_are_cut_they_are_the_same_records_with_other_ends(
    table: list[list[str]], data: st.DataObject
) -> None:
    whole = written(table, b"\n")
    cuts = sorted(data.draw(st.sets(st.integers(0, len(whole)), max_size=10)) | {0, len(whole)})
    records = Records()
    passed = b"".join(records.passed(whole[a:b]) for a, b in pairwise(cuts))
    assert passed == written(table, b"\r\n")
    assert (records.count, records.whole) == (len(table), True)
    assert list(csv.reader(io.StringIO(passed.decode(), newline=""))) == table


@given(tables.filter(bool), st.data())
def test_what_is_cut_off_is_not_whole_or_has_fewer(table: list[list[str]], data: st.DataObject) -> None:
    whole = written(table, b"\n")
    records = Records()
    records.passed(whole[: data.draw(st.integers(0, len(whole) - 1))])
    assert records.count < len(table) or not records.whole


def test_a_header_is_a_record() -> None:
    assert header(["full_name", "trn"]) == b"full_name,trn\r\n"

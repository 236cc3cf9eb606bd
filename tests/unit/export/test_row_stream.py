"""A stream of rows is taken whole or not at all, however the network cuts it into pieces."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from itertools import pairwise

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.export.domain.csv_rows import Cell
from services.export.participant_rows import LONGEST_LINE, RowsIncomplete, RowStream
from shared.contracts.participants import EXPORT_COLUMNS

WIDTH = len(EXPORT_COLUMNS)
Rows = list[list[Cell]]
rows_of_text = st.lists(
    st.lists(
        st.text(max_size=5) | st.sampled_from(["a\u2028b", "a\nb", "\x85", None]),
        min_size=WIDTH,
        max_size=WIDTH,
    ),
    max_size=6,
)


def ndjson(*documents: object) -> bytes:
    return b"".join(orjson.dumps(document) + b"\n" for document in documents)


def stream_of(rows: Sequence[object]) -> bytes:
    return ndjson({"total": len(rows)}, *rows, {"end": len(rows)})


async def _read(pieces: Sequence[bytes]) -> tuple[int, Rows]:
    async def chunks() -> AsyncIterator[bytes]:
        for piece in pieces:
            yield piece

    stream = await RowStream.open(chunks())
    return stream.total, [row async for batch in stream.batches() for row in batch]


def read(*pieces: bytes) -> tuple[int, Rows]:
    return asyncio.run(_read(pieces))


def row(text: str = "x") -> list[Cell]:
    return [text] * WIDTH


@given(rows_of_text, st.data())
def test_rows_are_the_same_wherever_the_stream_is_cut_into_pieces(rows: Rows, data: st.DataObject) -> None:
    whole = stream_of(rows)
    cuts = sorted(data.draw(st.sets(st.integers(0, len(whole)), max_size=10)) | {0, len(whole)})
    assert read(*(whole[a:b] for a, b in pairwise(cuts))) == (len(rows), rows)


@given(rows_of_text, st.data())
def test_a_stream_that_is_cut_off_anywhere_is_not_taken_for_a_whole_one(
    rows: Rows, data: st.DataObject
) -> None:
    whole = stream_of(rows)
    kept = data.draw(st.integers(0, len(whole) - 2))  # without the last LF alone, nothing is missing
    with pytest.raises(RowsIncomplete):
        read(whole[:kept])


@pytest.mark.parametrize(
    "stream",
    [
        b"",
        b"<html>not what was agreed</html>\n",
        ndjson({"rows": 1}, row(), {"end": 1}),
        ndjson({"total": 2}, row(), {"end": 1}),
        ndjson({"total": 2}, row(), {"end": 2}),
        ndjson({"total": 1}, row(), {"end": 2}),
        ndjson({"total": 1}, row(), row(), {"end": 1}),
        ndjson({"total": 1}, row(), {"error": "the database went away"}),
        ndjson({"total": 1}, row()[:-1], {"end": 1}),
        ndjson({"total": 1}, "row", {"end": 1}),
        ndjson({"total": 1}, {"end": 1}, row()),
        ndjson({"total": 1}, row(), {"end": 1}, row()),
    ],
)
def test_a_stream_that_does_not_add_up_is_refused(stream: bytes) -> None:
    with pytest.raises(RowsIncomplete):
        read(stream)


def test_nothing_may_follow_the_end_in_a_later_piece_either() -> None:
    with pytest.raises(RowsIncomplete):
        read(stream_of([row()]), ndjson(row()))


def test_a_line_without_end_does_not_fill_the_memory() -> None:
    with pytest.raises(RowsIncomplete, match="no end"):
        read(ndjson({"total": 1}), b'["' + b"x" * (LONGEST_LINE + 1), b'"]')


def test_no_rows_are_a_whole_stream_too() -> None:
    assert read(stream_of([])) == (0, [])

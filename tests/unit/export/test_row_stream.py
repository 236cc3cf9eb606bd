"""A stream of rows is taken whole or not at all, however the network cuts it into pieces."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest

from services.export.participant_rows import RowsIncomplete, RowStream

THREE = b'a,1\n"b\nb",2\nc,3\n'


async def _read(total: int, pieces: Sequence[bytes]) -> bytes:
    async def chunks() -> AsyncIterator[bytes]:
        for piece in pieces:
            yield piece

    return b"".join([piece async for piece in RowStream(total, chunks()).pieces()])


def read(total: int, *pieces: bytes) -> bytes:
    return asyncio.run(_read(total, pieces))


def test_all_that_came_is_passed_on() -> None:
    assert read(3, THREE[:6], THREE[6:]) == b'a,1\r\n"b\nb",2\r\nc,3\r\n'


@pytest.mark.parametrize("kept", range(len(THREE)))
def test_a_stream_that_is_cut_off_anywhere_is_not_taken_for_a_whole_one(kept: int) -> None:
    with pytest.raises(RowsIncomplete):
        read(3, THREE[:kept])


@pytest.mark.parametrize("stream", [b"", b"a,1\n", b"<html>no rows</html>\n", THREE, THREE + b"d"])
def test_a_stream_that_does_not_add_up_is_refused(stream: bytes) -> None:
    with pytest.raises(RowsIncomplete):
        read(2, stream)


def test_no_rows_are_a_whole_stream_too() -> None:
    assert read(0) == b""

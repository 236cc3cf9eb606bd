"""Which part of a file a request is given (RFC 9110, section 14)."""

import pytest

from services.export.byte_range import ByteRange, NotSatisfiable, byte_range

ETAG = '"abc"'


@pytest.mark.parametrize(
    ("header", "part"),
    [
        ("bytes=0-9", ByteRange(0, 10)),
        ("bytes=90-", ByteRange(90, 100)),
        ("bytes=90-500", ByteRange(90, 100)),
        ("bytes=-10", ByteRange(90, 100)),
        ("bytes=-500", ByteRange(0, 100)),
        ("bytes=99-99", ByteRange(99, 100)),
    ],
)
def test_one_range_is_given(header: str, part: ByteRange) -> None:
    assert byte_range(header, None, ETAG, 100) == part


@pytest.mark.parametrize(
    "header", [None, "", "bytes=-", "bytes=5-2", "bytes=0-1,5-6", "rows=1-2", "bytes=a-b"]
)
def test_what_is_not_one_understood_range_means_the_whole_file(header: str | None) -> None:
    assert byte_range(header, None, ETAG, 100) is None


@pytest.mark.parametrize("header", ["bytes=100-", "bytes=100-200", "bytes=-0"])
def test_a_range_outside_the_file_is_refused(header: str) -> None:
    with pytest.raises(NotSatisfiable):
        byte_range(header, None, ETAG, 100)


def test_a_client_that_holds_a_part_of_another_file_is_given_the_whole_one() -> None:
    assert byte_range("bytes=50-", '"other"', ETAG, 100) is None
    assert byte_range("bytes=50-", ETAG, ETAG, 100) == ByteRange(50, 100)


def test_the_answer_names_the_last_byte_not_the_one_after_it() -> None:
    assert ByteRange(0, 10).content_range(100) == "bytes 0-9/100"

"""The part of a file that a request asks for, so that a broken download can go on where it stopped."""

import re
from dataclasses import dataclass

SINGLE = re.compile(r"^bytes=(\d{0,18})-(\d{0,18})$")


class NotSatisfiable(Exception):
    """The range lies outside the file."""


@dataclass(frozen=True, slots=True)
class ByteRange:
    """From `start` to before `end`."""

    start: int
    end: int

    def content_range(self, size: int) -> str:
        return f"bytes {self.start}-{self.end - 1}/{size}"


def byte_range(header: str | None, if_range: str | None, etag: str, size: int) -> ByteRange | None:
    """Return the part asked for; None for the whole file. Raises NotSatisfiable.

    Several ranges at once, and what is not understood, mean the whole file, as the standard allows; so does
    If-Range with another ETag, since the client then holds a part of another file.
    Source: https://www.rfc-editor.org/rfc/rfc9110#section-14
    """
    match = SINGLE.match(header or "")
    if match is None or match[0] == "bytes=-" or (if_range is not None and if_range != etag):
        return None
    first, last = match[1], match[2]
    if not first:
        start, end = max(0, size - int(last)), size
    else:
        start, end = int(first), min(int(last) + 1, size) if last else size
        if last and int(last) < start:
            return None
    if start >= end:
        raise NotSatisfiable
    return ByteRange(start, end)

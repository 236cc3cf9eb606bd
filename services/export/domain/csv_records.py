"""CSV records as they pass: counted, and their line ends made those of RFC 4180, without taking them apart.

Source: https://www.rfc-editor.org/rfc/rfc4180
"""

from collections.abc import Sequence

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
"""Tells Excel that a file is UTF-8."""
QUOTE = b'"'


def header(columns: Sequence[str]) -> bytes:
    """columns: names that need no quotes."""
    return ",".join(columns).encode() + b"\r\n"


class Records:
    """Takes records that end with LF, cut anywhere. count: those that have ended.

    A line end within quotes is text, and stays as it is.
    """

    def __init__(self) -> None:
        self.count = 0
        self._quoted = False
        self._at_end = True

    def passed(self, piece: bytes) -> bytes:
        """The piece, with CR LF after each record."""
        if not piece:
            return piece
        self._at_end = piece.endswith(b"\n")
        if not self._quoted and QUOTE not in piece:
            self.count += piece.count(b"\n")
            return piece.replace(b"\n", b"\r\n")
        parts = piece.split(QUOTE)
        for place in range(1 if self._quoted else 0, len(parts), 2):  # those outside quotes
            self.count += parts[place].count(b"\n")
            parts[place] = parts[place].replace(b"\n", b"\r\n")
        self._quoted ^= len(parts) % 2 == 0
        return QUOTE.join(parts)

    @property
    def whole(self) -> bool:
        """Whether the last record has ended."""
        return self._at_end and not self._quoted

"""Text that no spreadsheet takes for a program.

The rule is one pattern, read alike by Python's `re` and by Postgres, which applies it while it copies out.
Source: https://owasp.org/www-community/attacks/CSV_Injection
"""

import re
import sys
from collections.abc import Iterator

SIGNS = "+-=@⁺⁻⁼₊₋₌\u2212⩵⩶﬩﹢﹣﹦﹫＋－＝＠"
"""What a spreadsheet may take for the beginning of a formula: the ASCII signs, the minus sign, and every
character whose compatibility form (NFKC) begins with one of them."""
DROPPED = "\t\r\n"
"""What some spreadsheets drop at the beginning, and read on."""
NEUTRAL = "'"


def _unseen() -> Iterator[str]:
    """Spaces, controls and invisible format characters, as the ranges of a character class."""
    # Looked at by `map` alone: a million characters, whenever a process starts.
    seen = bytearray(map(str.isprintable, map(chr, range(sys.maxunicode + 1))))
    seen[ord(" ")] = False
    seen[0] = True  # Postgres keeps no NUL
    seen[0xD800:0xE000] = bytes([True]) * 0x800  # halves of pairs are no characters
    for run in re.finditer(rb"\0+", seen):
        yield f"{_escaped(run.start())}-{_escaped(run.end() - 1)}"


def _escaped(number: int) -> str:
    return f"\\U{number:08X}"


RISKY = (
    f"^([{''.join(_escaped(ord(c)) for c in DROPPED)}]"
    f"|[{''.join(_unseen())}]*[{''.join(_escaped(ord(c)) for c in SIGNS)}])"
)
"""Matches text whose first visible character is a sign of a formula, and text that begins with what is
dropped."""
_RISKY = re.compile(RISKY)


def harmless(text: str) -> str:
    """Return the text so that a spreadsheet shows it and does not run it: with an apostrophe where needed."""
    return NEUTRAL + text if _RISKY.match(text) else text

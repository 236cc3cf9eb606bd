"""Text that no spreadsheet takes for a program.

The rule is one pattern, read alike by Python's `re` and by Postgres, which applies it while it copies out.
Source: https://owasp.org/www-community/attacks/CSV_Injection
"""

import re
import sys
import unicodedata
from collections.abc import Iterator
from itertools import groupby

SIGNS = "+-=@⁺⁻⁼₊₋₌\u2212⩵⩶﬩﹢﹣﹦﹫＋－＝＠"
"""What a spreadsheet may take for the beginning of a formula: the ASCII signs, the minus sign, and every
character whose compatibility form (NFKC) begins with one of them."""
DROPPED = "\t\r\n"
"""What some spreadsheets drop at the beginning, and read on."""
NEUTRAL = "'"


def _unseen() -> Iterator[str]:
    """Spaces, controls and invisible format characters, as the ranges of a character class."""
    marked = (
        (number - place, number)
        for place, number in enumerate(
            number
            for number in range(1, sys.maxunicode + 1)  # Postgres keeps no NUL
            if unicodedata.category(chr(number))[0] in "CZ" and not 0xD800 <= number <= 0xDFFF
        )
    )
    for _, run in groupby(marked, key=lambda one: one[0]):
        numbers = [number for _, number in run]
        yield f"{_escaped(numbers[0])}-{_escaped(numbers[-1])}"


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

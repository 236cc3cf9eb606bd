"""Addresses that a person could take for one another: shown to staff, never merged."""

import unicodedata
from typing import Final

SAME_SHAPE: Final = str.maketrans(
    {
        # Cyrillic and Greek letters that look like Latin ones (Unicode TS 39, the ones used most)
        "а": "a", "ɑ": "a", "α": "a", "в": "b", "с": "c", "ϲ": "c", "ԁ": "d", "е": "e", "ҽ": "e",
        "һ": "h", "і": "i", "ι": "i", "ј": "j", "ϳ": "j", "к": "k", "κ": "k", "ӏ": "l", "м": "m",
        "п": "n", "ո": "n", "о": "o", "ο": "o", "σ": "o", "р": "p", "ρ": "p", "ԛ": "q", "г": "r",
        "ѕ": "s", "т": "t", "τ": "t", "υ": "u", "ս": "u", "ν": "v", "ѵ": "v", "ԝ": "w", "ω": "w",
        "х": "x", "χ": "x", "у": "y", "γ": "y", "ı": "i", "ł": "l", "ø": "o", "đ": "d",
        # digits and signs
        "0": "o", "1": "l", "|": "l", "5": "s", "-": "", "_": "", "'": "",
    }
)  # fmt: skip
SAME_PAIRS: Final = (("rn", "m"), ("vv", "w"), ("cl", "d"))


def shape(address: str) -> str:
    """What an address looks like at a glance: those of one shape are told apart only by looking closely."""
    letters = unicodedata.normalize("NFKD", address.casefold())
    bare = "".join(letter for letter in letters if not unicodedata.combining(letter)).translate(SAME_SHAPE)
    for pair, single in SAME_PAIRS:
        bare = bare.replace(pair, single)
    return bare


def why_alike(one: str, other: str) -> str | None:
    """Say how two different addresses are alike; None when they are the same or plainly different."""
    one, other = one.casefold(), other.casefold()
    if one == other:
        return None
    if shape(one) == shape(other):
        return "It looks the same"
    if one_letter_off(one, other):
        return "It is one letter off"
    return None


def one_letter_off(one: str, other: str) -> bool:
    """One letter more, less or other, or two neighbours changed round."""
    if len(one) > len(other):
        one, other = other, one
    if len(other) - len(one) > 1 or one == other:
        return False
    start = 0
    while start < len(one) and one[start] == other[start]:
        start += 1
    if len(one) < len(other):
        return one[start:] == other[start + 1 :]
    rest_of_one, rest_of_other = one[start + 1 :], other[start + 1 :]
    if rest_of_one == rest_of_other:
        return True
    changed_round = one[start : start + 2] == other[start : start + 2][::-1]
    return changed_round and one[start + 2 :] == other[start + 2 :]

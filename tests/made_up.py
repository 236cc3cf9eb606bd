"""People whom the suite, the demo and the stand-in of Manage ECTs make up: known, so that a watch finds them.

Nothing is to be kept in step by hand: names and TRNs that tests invent are read from their own source.
"""
# ruff: noqa: SIM905 - lists of words are easier to read as text

import ast
import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Final
from urllib.parse import unquote

from services.manage_ects.domain.names import FIRST, LAST, RARE, trn

TESTS: Final = Path(__file__).parent
DEMO: Final = TESTS.parent / "services" / "access" / "demo.py"
PARTICIPANTS: Final = 10_000
"""More than any world of a test has."""
_CAPITALISED: Final = r"[^\W\d_a-z][^\W\d_]*(?:['’-][^\W\d_]+)*"
FULL_NAME: Final = re.compile(rf"{_CAPITALISED}(?: {_CAPITALISED}){{1,2}}")
WORD: Final = re.compile(r"[^\W\d_]+")
NUMBER: Final = re.compile(r"(?<![\w.-])\d{7}(?![\w-]|\.\d)")
ESCAPED: Final = re.compile(r"\\u([0-9a-fA-F]{4})")
NOT_OF_PEOPLE: Final = frozenset(
    "academy|body|brook|create|database|ects|education|elm|error|first|going|group|hill|hub|index|infant|"
    "internal|late|learning|long|loop|nested|network|new|only|other|own|partnership|primary|provider|renamed|"
    "same|school|second|seq|since|somebody|teacher|third|training|trust".split("|")
)
"""Words that make two capitalised ones something else than a name."""


def names_in(text: str) -> set[str]:
    """Made-up full names in a text: whole, in either order, in any case, with accents or without."""
    words = WORD.findall(_plain(text))
    return {f"{one} {other}" for one, other in pairwise(words) if (one, other) in _pairs()}


def trns_in(text: str) -> set[str]:
    return {number for number in NUMBER.findall(text) if number in _trns()}


@cache
def _pairs() -> frozenset[tuple[str, str]]:
    """Two words beside each other that only a name has: of a first name and a last name, either way round."""
    made_up = (f"{first} {last}" for first in FIRST for last in LAST)
    return frozenset(pair for name in (*made_up, *RARE, *_invented()) for pair in _pairs_of(name))


def _pairs_of(name: str) -> Iterator[tuple[str, str]]:
    """A first name may have a hyphen, and a last name several words: what counts is where they meet."""
    first, *last = (WORD.findall(_plain(part)) for part in name.split(" "))
    if first and last and last[0]:
        yield first[-1], last[0][0]
        yield last[-1][-1], first[0]


def _invented() -> Iterator[str]:
    for text in _literals():
        if FULL_NAME.fullmatch(text.strip()) and not NOT_OF_PEOPLE & set(WORD.findall(_plain(text))):
            yield text.strip()


@cache
def _trns() -> frozenset[str]:
    invented = (text for text in _literals() if NUMBER.fullmatch(text))
    return frozenset((*invented, *map(trn, range(PARTICIPANTS))))


@cache
def _literals() -> frozenset[str]:
    trees = (ast.parse(file.read_text()) for file in (*TESTS.rglob("*.py"), DEMO))
    return frozenset(_strings(node for tree in trees for node in ast.walk(tree)))


def _strings(nodes: Iterable[ast.AST]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def _plain(text: str) -> str:
    """As if it had been typed without accents and in lower case, whichever way it is escaped."""
    if "\\u" in text:
        text = ESCAPED.sub(lambda escaped: chr(int(escaped[1], 16)), text)
    if "%" in text or "+" in text:
        text = unquote(text).replace("+", " ")
    if text.isascii():
        return text.lower()
    parts = unicodedata.normalize("NFKD", text)
    return "".join(part for part in parts if not unicodedata.combining(part)).casefold()

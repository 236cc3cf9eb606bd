"""A spreadsheet runs none of what people wrote, and shows all of it."""

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.participants.domain.harmless import SIGNS, harmless

UNSEEN = {"Zs", "Zl", "Zp", "Cc", "Cf", "Cn", "Co"}

texts = st.text(max_size=30) | st.text("=+-@'\",;\r\n\t 0٣ア＝－", max_size=12)


@given(texts)
def test_a_value_is_given_as_it_is_or_with_one_apostrophe_before_it(text: str) -> None:
    assert harmless(text) in (text, "'" + text)


@given(texts)
def test_no_cell_begins_with_a_formula_whatever_is_before_the_sign(text: str) -> None:
    """The oracle looks at the compatibility form of the whole text, as a lenient reader might."""
    shown = harmless(text)
    visible = "".join(
        c for c in unicodedata.normalize("NFKC", shown) if unicodedata.category(c)[0] not in "ZC"
    )
    assert not visible.startswith(("=", "+", "-", "@"))
    assert not shown.startswith(("\t", "\r", "\n"))


def test_the_signs_are_all_characters_that_become_one() -> None:
    characters = map(chr, range(sys.maxunicode + 1))
    assert set(SIGNS) == {c for c in characters if unicodedata.normalize("NFKC", c)[0] in "+-=@\u2212"}


def test_what_is_not_seen_hides_no_sign_and_what_is_seen_comes_before_it() -> None:
    """All characters of the first plane, and some of the others."""
    characters = set(map(chr, (*range(1, 0x10000), *range(0x10000, sys.maxunicode + 1, 251)))) - set(SIGNS)
    unseen = {c for c in characters if unicodedata.category(c) in UNSEEN}
    assert {c for c in characters if harmless(f"{c}=1") == f"'{c}=1"} == unseen


RISKY_TEXTS = [
    "=1+1",
    "+447700900123",
    "-2+3",
    "@SUM(A1)",
    "\t=1",
    "\rx",
    "\nx",
    "  =cmd|' /C calc'!A0",
    "\u00a0=1",
    "\u3000＝1",
    "＋1",
    "－1",
    "＠x",
    "\ufeff=1",
    "\u200b-1",
    "\u22121",
]
HARMLESS_TEXTS = [
    "",
    " ",
    "Ada Brook",
    "O'Neill-Marsh",
    "ada+school@example.org",
    "0012345",
    "'quoted'",
    "’s",
    "(=1)",
    "שלום",
    "e\u0301=1",
]


@pytest.mark.parametrize("text", RISKY_TEXTS)
def test_text_that_could_run_gets_an_apostrophe(text: str) -> None:
    assert harmless(text) == "'" + text


@pytest.mark.parametrize("text", HARMLESS_TEXTS)
def test_text_that_cannot_run_is_left_alone(text: str) -> None:
    assert harmless(text) == text

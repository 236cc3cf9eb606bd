"""Addresses that could be taken for one another."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.access.domain.look_alikes import one_letter_off, why_alike

KNOWN = "dana.whitfield@example.org"
addresses = st.text("abcо0l1.-", min_size=1, max_size=8).map(lambda local: f"{local}@example.org")


@pytest.mark.parametrize(
    "other",
    [
        "dаna.whitfield@example.org",  # a Cyrillic а
        "dana.whitfie1d@example.org",
        "dana-.whitfield@example.org",
        "däna.whitfield@example.org",
    ],
)
def test_what_looks_the_same_is_said_to(other: str) -> None:
    assert why_alike(KNOWN, other) == "It looks the same"


def test_two_letters_that_look_like_one_are_said_to() -> None:
    assert why_alike("tom.barnes@example.org", "tom.bames@example.org") == "It looks the same"


@pytest.mark.parametrize(
    "other",
    [
        "dana.whitfeld@example.org",
        "dana.whitfielld@example.org",
        "dana.whitfeild@example.org",
        "dana.whitfield@exemple.org",
    ],
)
def test_what_is_one_letter_off_is_said_to_be(other: str) -> None:
    assert why_alike(KNOWN, other) == "It is one letter off"


@pytest.mark.parametrize("other", [KNOWN, KNOWN.upper(), "dana.bell@example.org", "dana@example.org"])
def test_the_same_and_the_plainly_different_are_not(other: str) -> None:
    assert why_alike(KNOWN, other) is None


@given(addresses, addresses)
def test_being_alike_goes_both_ways(one: str, other: str) -> None:
    assert why_alike(one, other) == why_alike(other, one)
    assert one_letter_off(one, other) == one_letter_off(other, one)


@given(addresses, st.data())
def test_any_slip_of_one_letter_is_found(address: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(address) - 1))
    assert one_letter_off(address, address[:place] + address[place + 1 :])
    assert one_letter_off(address, address[:place] + "z" + address[place:])
    assert one_letter_off(address, address[:place] + "z" + address[place + 1 :])

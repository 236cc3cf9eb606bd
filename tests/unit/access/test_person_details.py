"""Email addresses and names: accepted, refused with a sentence, and never two people taken for one."""

import unicodedata

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from services.access.domain.person_details import email_address, email_key, full_name
from services.access.domain.refusals import MalformedEmail, MalformedName


@pytest.mark.parametrize(
    ("typed", "address", "key"),
    [
        ("dana@example.org", "dana@example.org", "dana@example.org"),
        ("  Dana.Whitfield@Example.ORG\n", "Dana.Whitfield@Example.ORG", "dana.whitfield@example.org"),
        ("o'neil+data@sub.example.org", "o'neil+data@sub.example.org", "o'neil+data@sub.example.org"),
        ("jose\u0301@example.org", "jos\u00e9@example.org", "jos\u00e9@example.org"),
        ("JOS\u00c9@example.org", "JOS\u00c9@example.org", "jos\u00e9@example.org"),
        ("a_b@b\u00fccher.example", "a_b@b\u00fccher.example", "a_b@b\u00fccher.example"),
        ("a@xn--bcher-kva.example", "a@xn--bcher-kva.example", "a@xn--bcher-kva.example"),
    ],
)
def test_spellings_of_one_mailbox_have_one_key(typed: str, address: str, key: str) -> None:
    accepted = email_address(typed)
    assert (accepted.address, accepted.key) == (address, key)


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "   ",
        "dana",
        "@example.org",
        "dana@",
        "dana@example",
        "dana@@example.org",
        "dana@one@example.org",
        "dana@example.org, sam@example.org",
        "dana@example.org;sam@example.org",
        "Dana <dana@example.org>",
        '"dana whitfield"@example.org',
        "dana whitfield@example.org",
        ".dana@example.org",
        "dana.@example.org",
        "da..na@example.org",
        "dana@example..org",
        "dana@.example.org",
        "dana@-example.org",
        "dana@example-.org",
        "dana@exa_mple.org",
        "dana@192.0.2.1",
        "dana@[192.0.2.1]",
        "da\u0000na@example.org",
        "da\u200bna@example.org",
        "\u202edana@example.org",
        "da\tna@example.org",
        "dana@example.org\nBcc: sam@example.org",
        "d" * 65 + "@example.org",
        "dana@" + "e" * 64 + ".org",
        "dana@" + ".".join(["example"] * 35) + ".org",
    ],
)
def test_what_is_not_one_mailbox_is_refused_with_a_sentence(typed: str) -> None:
    with pytest.raises(MalformedEmail) as refused:
        email_address(typed)
    assert str(refused.value).endswith(".")


@pytest.mark.parametrize(
    "typed", ["stra\u00dfe@example.org", "\u017fam@example.org", "\ufb01n@example.org", "\uff41b@example.org"]
)
def test_letters_that_would_turn_into_others_are_refused(typed: str) -> None:
    with pytest.raises(MalformedEmail):
        email_address(typed)


def test_254_characters_are_accepted_and_255_refused() -> None:
    domain = ".".join(["e" * 63] * 3)
    longest = f"{'d' * (254 - 1 - len(domain))}@{domain}"
    assert len(email_address(longest).address) == 254
    with pytest.raises(MalformedEmail):
        email_address("d" + longest)


local_parts = st.text(st.characters(categories=["Lu", "Ll", "Lo", "Nd"]), min_size=1, max_size=12)
pairs = st.one_of(
    st.tuples(local_parts, local_parts),
    local_parts.map(lambda one: (one, one.swapcase())),
    local_parts.map(lambda one: (one, unicodedata.normalize("NFKD", one))),
)


@given(pairs)
def test_two_addresses_have_one_key_only_when_they_differ_in_case(pair: tuple[str, str]) -> None:
    try:
        one, other = (email_address(f"{local_part}@example.org") for local_part in pair)
    except MalformedEmail:
        return
    assert (one.key == other.key) == (one.address.lower() == other.address.lower())


@given(st.emails(), st.sampled_from([str.upper, str.lower, str.title]))
def test_what_is_accepted_is_accepted_again_and_stays_the_same(typed: str, change: object) -> None:
    try:
        accepted = email_address(typed)
    except MalformedEmail:
        assume(False)
        raise
    assert callable(change)
    assert email_address(accepted.address) == accepted
    assert email_address(f" {change(typed)} ").key == accepted.key == email_key(accepted.address)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("  Dana   Whitfield ", "Dana Whitfield"),
        ("Jose\u0301 N\u00fa\u00f1ez", "Jos\u00e9 N\u00fa\u00f1ez"),
        ("O\u2019Neil-Smith", "O\u2019Neil-Smith"),
        ("\u674e", "\u674e"),
    ],
)
def test_names_are_kept_as_people_write_them(typed: str, kept: str) -> None:
    assert full_name(typed) == kept
    assert unicodedata.is_normalized("NFC", kept)


@pytest.mark.parametrize("typed", ["", "  \n ", "x" * 256, "Dana\u0007Whitfield", "Dana\u202eWhitfield"])
def test_what_is_not_a_name_is_refused_with_a_sentence(typed: str) -> None:
    with pytest.raises(MalformedName) as refused:
        full_name(typed)
    assert str(refused.value).endswith(".")

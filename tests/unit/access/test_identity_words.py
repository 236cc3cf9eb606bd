"""Who it was is taken out of what others wrote, and nothing else."""

import pytest

from services.access.domain.events import PersonErased, PersonRegistered
from services.access.domain.identity_words import identity_words
from services.access.domain.person import (
    ChangeDetails,
    ErasePerson,
    NameInRequest,
    RegisterPerson,
    decide,
    evolve,
)
from services.access.domain.person_details import email_address
from services.access.domain.refusals import MalformedEmail, NothingThere
from services.access.domain.vocabulary import RequestId
from tests.unit.access.cast import AT, COLLEAGUE

WORDS = identity_words(["Will O'Brien", "Will de Vries-O'Brien"], ["w.obrien+a@example.org"])


@pytest.mark.parametrize(
    ("written", "left"),
    [
        ("Will O'Brien joined.", "(erased) joined."),
        ("WILL O'BRIEN <W.OBrien+A@example.org>", "(erased) <(erased)>"),
        ("Ask O'Brien, not Willa or a de Vries.", "Ask (erased), not Willa or a de Vries."),
        ("xw.obrien+a@example.org", "xw.obrien+a@example.org"),
        ("", ""),
    ],
)
def test_names_and_addresses_go_and_other_words_stay(written: str, left: str) -> None:
    assert WORDS.out_of(written) == left


def test_it_reaches_into_what_is_nested_and_leaves_what_is_no_text() -> None:
    assert WORDS.out_of({"a": ["Will", 1, None, {"b": "will O'Brien"}]}) == {
        "a": ["(erased)", 1, None, {"b": "(erased)"}]
    }


def test_who_was_erased_before_has_no_words_left() -> None:
    assert identity_words(["(erased)"], []).out_of("(erased) said so") == "(erased) said so"


def test_a_person_is_erased_once_and_never_named_again() -> None:
    registered = PersonRegistered(COLLEAGUE, "Nia Novak", "nia@example.org", None, AT)
    known = evolve(None, registered)
    (erased,) = decide(ErasePerson("dpo", "Asked for it", AT), known)
    assert erased == PersonErased(COLLEAGUE, "dpo", "Asked for it", AT)
    gone = evolve(known, erased)
    assert gone is not None
    assert "Novak" not in gone.full_name
    assert gone.email == f"{COLLEAGUE}@erased.invalid"
    assert decide(ErasePerson("dpo", "Asked for it", AT), gone) == []
    for command in (
        ChangeDetails("Nia Novak", "nia@example.org", None, AT),
        NameInRequest(RequestId(COLLEAGUE), "Nia Novak", "nia@example.org", AT),
    ):
        with pytest.raises(NothingThere):
            decide(command, gone)
    assert decide(RegisterPerson(COLLEAGUE, "Nia Novak", "nia@example.org", None, AT), gone) == []


def test_nobody_is_erased_who_is_not_there() -> None:
    with pytest.raises(NothingThere):
        decide(ErasePerson("dpo", "Asked for it", AT), None)


def test_nobody_can_have_the_address_of_the_erased() -> None:
    with pytest.raises(MalformedEmail):
        email_address(f"{COLLEAGUE}@Erased.invalid")

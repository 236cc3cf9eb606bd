"""Every status and every state is put into words, one plain sentence each, that give nobody away."""

import pytest

from services.participants.domain.explanations import EXPLANATIONS, REASONS, explanation, reason
from services.participants.domain.status import State, Status

SENTENCES = [explanation(status) for status in Status] + [reason(state) for state in State]


def test_every_status_and_every_state_has_its_own_words() -> None:
    assert set(EXPLANATIONS) == set(Status)
    assert set(REASONS) == set(State)
    assert len(set(SENTENCES)) == len(SENTENCES)


@pytest.mark.parametrize("sentence", SENTENCES)
def test_each_is_one_plain_sentence(sentence: str) -> None:
    assert sentence.endswith(".")
    assert sentence.count(".") == 1
    assert sentence[0].isupper()
    assert len(sentence.split()) <= 25


@pytest.mark.parametrize("state", [State.ACTIVE_FLAGS, State.NOT_ALLOWED])
def test_no_words_say_that_somebody_is_barred_or_accused(state: State) -> None:
    words = reason(state).lower()
    assert not any(hint in words for hint in ("flag", "sanction", "prohibit", "barred", "misconduct"))

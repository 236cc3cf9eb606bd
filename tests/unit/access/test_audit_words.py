"""The audit's filter names kinds of entries in the words of the entries: what is read is looked for."""

import re
from types import SimpleNamespace
from typing import Any, Final, cast
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Row

from services.access.audit.sentences import Names, sentence
from services.gateway import content

WHO, WHOM, WHERE, PROVIDER = uuid4(), uuid4(), uuid4(), uuid4()
NAMES: Final = Names({WHO: "Somebody", WHOM: "Person"}, {WHERE: "Somewhere", PROVIDER: "Lead provider"})
CARRIED: Final[dict[str, object]] = {
    "reason": "signed_out",
    "step": "submitted",
    "answer_by": "2026-12-01",
    "page": 1,
    "total": 1,
    "rows": 1,
    "reference": "A-1",
    "delivery_partner_id": str(WHERE),
    "lead_provider_id": str(PROVIDER),
    "ended_early_on": None,
}
OTHER_WAYS: Final[dict[str, object]] = {
    "ended_early_on": "2026-12-01",
    "step": "looked_at",
    "reason": "expired",
}
"""Kinds of entries whose sentences differ by what they carry."""
SMALL_WORDS: Final = frozenset({"a", "an", "of", "for", "in", "or", "else"})
FOR_NAMES: Final = frozenset({"somebody", "somebody’s", "role"})
"""Stand for whom an entry names, and as what."""


def said(kind: str, by: UUID | None, carried: dict[str, object]) -> str:
    row = SimpleNamespace(
        kind=kind,
        person_id=by,
        about_id=WHOM,
        organisation_id=WHERE,
        role="delivery_partner",
        participant_ids=[uuid4()],
        data=CARRIED | carried,
    )
    return sentence(cast("Row[Any]", row), NAMES)


def words(text: str) -> set[str]:
    return set(re.findall(r"[\w’-]+", text.lower()))


@pytest.mark.parametrize("kind", list(content.AUDIT_KINDS))
def test_a_kind_of_entry_is_named_in_the_words_of_its_entries(kind: str) -> None:
    entries = " ".join(said(kind, by, carried) for by in (WHO, None) for carried in ({}, OTHER_WAYS))
    assert kind not in entries
    assert words(content.AUDIT_KINDS[kind]) - SMALL_WORDS - FOR_NAMES <= words(entries)

"""What access tells others: the same words as in the contracts, and no more personal data than needed."""

import json
from dataclasses import replace
from enum import StrEnum

import pytest

from services.access.api.problems import ANSWERS
from services.access.domain import refusals
from services.access.domain.events import (
    AgreementLapsed,
    DeclineKind,
    EndReason,
    Event,
    GrantEnded,
    PersonRegistered,
    RequestSubmitted,
    Step,
)
from services.access.domain.request import RequestState
from services.access.domain.vocabulary import OrganisationKind, PersonId, Role
from services.access.handlers import Verdict
from services.access.handlers.imports import LineOutcome
from services.access.publishing import CODEC, publish
from shared.contracts import access, manage_ects, roles
from tests.unit.access.cast import AGREEMENT, AT, COLLEAGUE, CONTACT, GRANT, PARTNER, POLICY, SUPPORT
from tests.unit.access.request_story import (
    ASKED,
    COVERED,
    GRANTED,
    checked,
    confirmed,
    declined,
    expired,
    informed,
    reminded,
    returned,
    submitted,
    triaged,
    withdrawn,
)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (Role, roles.Role),
        (OrganisationKind, manage_ects.OrganisationKind),
        (RequestState, access.RequestState),
        (DeclineKind, access.DeclineKind),
        (Verdict, access.Decision),
        (LineOutcome, access.LineOutcome),
    ],
)
def test_words_of_the_domain_are_those_of_the_contract(ours: type[StrEnum], theirs: type[StrEnum]) -> None:
    assert [word.value for word in ours] == [word.value for word in theirs]
    if hasattr(ours, "is_open"):
        assert all(ours(word).is_open == theirs(word).is_open for word in ours)  # type: ignore[attr-defined]


def test_every_refusal_has_an_answer() -> None:
    kinds = {
        kind
        for kind in vars(refusals).values()
        if isinstance(kind, type) and issubclass(kind, refusals.Refused) and kind is not refusals.Refused
    }
    assert kinds == set(ANSWERS)


@pytest.mark.parametrize(
    ("event", "step", "by"),
    [
        (submitted(SUPPORT), "submitted", SUPPORT.person_id),
        (triaged(), "triage_passed", SUPPORT.person_id),
        (checked(), "policy_check_passed", POLICY.person_id),
        (checked(against_advice=True), "policy_check_passed_against_advice", POLICY.person_id),
        (confirmed(), "confirmed_by_lead_provider", CONTACT.person_id),
        (GRANTED, "granted", None),
        (declined(SUPPORT, Step.TRIAGE), "declined_at_triage", SUPPORT.person_id),
        (declined(POLICY, Step.POLICY_CHECK), "declined_at_policy_check", POLICY.person_id),
        (
            declined(POLICY, Step.POLICY_CHECK, COVERED, against=True),
            "declined_at_policy_check_against_advice",
            POLICY.person_id,
        ),
        (declined(CONTACT, Step.CONFIRMATION), "refused_by_lead_provider", CONTACT.person_id),
        (withdrawn(), "withdrawn", withdrawn().by),
        (returned(), "returned_at_triage", SUPPORT.person_id),
        (informed(), "information_given", informed().by),
        (reminded(None), "reminded", None),
        (expired(Step.CONFIRMATION), "expired", None),
    ],
)
def test_steps_are_told_without_the_reasons_people_wrote(
    event: Event, step: str, by: PersonId | None
) -> None:
    told = publish(event)
    assert told == access.RequestProgressed(
        request_id=GRANTED.request_id,
        person_id=COLLEAGUE,
        step=step,
        by=by,
    )


def test_asking_a_lead_provider_is_told_with_its_contacts() -> None:
    assert publish(ASKED) == access.ConfirmationRequested(
        request_id=ASKED.request_id,
        lead_provider_id=ASKED.lead_provider_id,
        contacts=[CONTACT.person_id],
    )


def test_what_staff_wrote_about_an_ended_grant_stays_at_home() -> None:
    event = GrantEnded(
        GRANT,
        COLLEAGUE,
        Role.DELIVERY_PARTNER,
        PARTNER,
        EndReason.REVOKED,
        "A secret.",
        SUPPORT.person_id,
        AT,
    )
    told = publish(event)
    assert isinstance(told, access.GrantEnded)
    assert told.reason == "revoked"
    assert "Secret" not in told.model_dump_json()


def test_a_lapse_is_nobody_elses_business() -> None:
    assert publish(AgreementLapsed(AGREEMENT, PARTNER, AT)) is None


def test_a_person_is_told_by_name_and_address() -> None:
    event = PersonRegistered(COLLEAGUE, "Dana Whitfield", "dana@example.org", None, AT)
    assert publish(event) == access.PersonRegistered(
        person_id=COLLEAGUE, full_name="Dana Whitfield", email="dana@example.org"
    )


@pytest.mark.parametrize(
    "event", [submitted(), checked(), ASKED, declined(POLICY, Step.POLICY_CHECK, COVERED)]
)
def test_events_come_back_from_the_store_as_they_were(event: Event) -> None:
    name = CODEC.name(event)
    assert CODEC.decode(name, CODEC.schema_version(name), CODEC.encode(event)) == event


def test_a_request_in_the_store_names_nobody() -> None:
    stored = json.loads(CODEC.encode(replace(submitted(), reason="")))
    assert stored["person_id"] == str(COLLEAGUE)
    assert not {"full_name", "email"} & set(stored)
    assert isinstance(submitted(), RequestSubmitted)

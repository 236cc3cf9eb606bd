"""An access request, step by step: what is decided when, and what is refused."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from services.access.domain.coverage import Cover, Coverage
from services.access.domain.events import (
    DeclineKind,
    Event,
    Step,
)
from services.access.domain.refusals import (
    AlreadyGranted,
    AlreadyRequested,
    LeadProviderNeeded,
    NoContacts,
    NoLongerCovered,
    NotAwaitingThisStep,
    NothingThere,
    NotRequestable,
    NotYourOrganisation,
    NotYourStep,
    WrongKind,
)
from services.access.domain.request import (
    Decline,
    SubmitRequest,
    Withdraw,
)
from services.access.domain.vocabulary import Actor, OrganisationKind, Role
from tests.unit.access.cast import (
    ADMINISTRATOR,
    AGREEMENT,
    AT,
    AUDITOR,
    BODY,
    BODY_USER,
    CONTACT,
    OTHER_CONTACT,
    OTHER_PARTNER,
    OTHER_SUPPORT,
    PARTNER,
    POLICY,
    PROVIDER,
    SUPPORT,
    TODAY,
    USER,
    person,
)
from tests.unit.access.request_story import (
    ASKED,
    CLOSED,
    COVERED,
    GRANTED,
    NOT_NEEDED,
    OPEN,
    SUBMIT,
    UNCOVERED,
    WHY,
    checked,
    confirm,
    confirmed,
    declined,
    pass_check,
    pass_triage,
    past,
    submitted,
    triaged,
    withdrawn,
)

# --- asking ---------------------------------------------------------------------------------------


def test_a_user_nominates_a_colleague_for_the_own_organisation() -> None:
    past().when(SUBMIT).then(submitted())


def test_support_enters_a_request_for_any_organisation() -> None:
    past().when(replace(SUBMIT, by=SUPPORT)).then(submitted(SUPPORT))


def test_an_appropriate_body_user_nominates_for_the_own_body() -> None:
    command = replace(
        SUBMIT,
        by=BODY_USER,
        role=Role.APPROPRIATE_BODY,
        organisation_id=BODY,
        kind=OrganisationKind.APPROPRIATE_BODY,
    )
    past().when(command).then(submitted(BODY_USER, Role.APPROPRIATE_BODY))


@pytest.mark.parametrize(
    "command",
    [
        replace(SUBMIT, organisation_id=OTHER_PARTNER),
        replace(SUBMIT, role=Role.APPROPRIATE_BODY, kind=OrganisationKind.APPROPRIATE_BODY),
        replace(SUBMIT, by=BODY_USER),
        replace(SUBMIT, organisation_id=OTHER_PARTNER, granted=True),
        replace(SUBMIT, organisation_id=OTHER_PARTNER, requested=True),
    ],
)
def test_a_user_asks_for_nobody_elses_organisation_and_does_not_learn_who_has_access_there(
    command: SubmitRequest,
) -> None:
    past().when(command).then_raises(NotYourOrganisation)


@pytest.mark.parametrize("by", [POLICY, ADMINISTRATOR, AUDITOR, CONTACT])
def test_only_users_and_support_ask(by: Actor) -> None:
    past().when(replace(SUBMIT, by=by)).then_raises(NotYourStep)


@pytest.mark.parametrize("role", [role for role in Role if role.is_staff or role is Role.LEAD_PROVIDER])
def test_no_other_role_can_be_requested(role: Role) -> None:
    past().when(replace(SUBMIT, by=SUPPORT, role=role)).then_raises(NotRequestable)


def test_the_organisation_is_of_the_kind_that_the_role_needs() -> None:
    command = replace(SUBMIT, by=SUPPORT, kind=OrganisationKind.LEAD_PROVIDER)
    past().when(command).then_raises(WrongKind)


def test_what_is_open_is_not_asked_again() -> None:
    past().when(replace(SUBMIT, requested=True)).then_raises(AlreadyRequested)


def test_what_is_granted_is_not_asked_again() -> None:
    past().when(replace(SUBMIT, granted=True)).then_raises(AlreadyGranted)


# --- triage ---------------------------------------------------------------------------------------


def test_support_passes_a_request_on() -> None:
    past(submitted()).when(pass_triage()).then(triaged())


def test_support_declines_a_request() -> None:
    command = Decline(Step.TRIAGE, SUPPORT, AT, WHY, COVERED, DeclineKind.OTHER)
    past(submitted()).when(command).then(declined(SUPPORT, Step.TRIAGE))


def test_a_request_that_does_not_exist_is_not_decided() -> None:
    past().when(pass_triage()).then_raises(NothingThere)


# --- policy check ---------------------------------------------------------------------------------


def test_policy_passes_a_covered_request_and_the_lead_provider_is_asked() -> None:
    past(submitted(), triaged()).when(pass_check()).then(checked(), ASKED)


def test_passing_without_a_covering_agreement_is_marked_as_against_advice() -> None:
    past(submitted(), triaged()).when(pass_check(check=UNCOVERED)).then(
        replace(checked(), check=UNCOVERED, against_advice=True), ASKED
    )


def test_an_agreement_with_another_lead_provider_does_not_cover() -> None:
    elsewhere = Coverage(
        TODAY, True, (Cover(AGREEMENT, OTHER_CONTACT.organisation_id or PROVIDER, TODAY),), ""
    )
    past(submitted(), triaged()).when(pass_check(check=elsewhere)).then(
        replace(checked(), check=elsewhere, against_advice=True), ASKED
    )


def test_declining_a_covered_request_is_marked_as_against_advice() -> None:
    command = Decline(Step.POLICY_CHECK, POLICY, AT, WHY, COVERED, DeclineKind.OTHER)
    past(submitted(), triaged()).when(command).then(
        declined(POLICY, Step.POLICY_CHECK, COVERED, against=True)
    )


def test_declining_an_uncovered_request_follows_the_advice() -> None:
    command = Decline(Step.POLICY_CHECK, POLICY, AT, WHY, UNCOVERED, DeclineKind.OTHER)
    past(submitted(), triaged()).when(command).then(declined(POLICY, Step.POLICY_CHECK, UNCOVERED))


def test_policy_says_which_lead_provider_is_asked() -> None:
    command = replace(pass_check(), lead_provider_id=None)
    past(submitted(), triaged()).when(command).then_raises(LeadProviderNeeded)


def test_a_lead_provider_without_contacts_cannot_be_asked() -> None:
    past(submitted(), triaged()).when(replace(pass_check(), contacts=())).then_raises(NoContacts)


def test_for_an_appropriate_body_the_policy_check_grants() -> None:
    history: Sequence[Event] = [submitted(BODY_USER, Role.APPROPRIATE_BODY), triaged()]
    command = replace(pass_check(check=NOT_NEEDED), lead_provider_id=None, contacts=())
    passed = replace(checked(), check=NOT_NEEDED, lead_provider_id=None)
    past(*history).when(command).then(passed, GRANTED)


def test_declining_for_an_appropriate_body_is_against_nobodys_advice() -> None:
    history: Sequence[Event] = [submitted(BODY_USER, Role.APPROPRIATE_BODY), triaged()]
    command = Decline(Step.POLICY_CHECK, POLICY, AT, WHY, NOT_NEEDED, DeclineKind.OTHER)
    past(*history).when(command).then(declined(POLICY, Step.POLICY_CHECK, NOT_NEEDED))


# --- confirmation ---------------------------------------------------------------------------------


def test_the_lead_provider_confirms_and_access_is_granted() -> None:
    past(submitted(), triaged(), checked(), ASKED).when(confirm()).then(confirmed(), GRANTED)


def test_the_lead_provider_refuses() -> None:
    command = Decline(Step.CONFIRMATION, CONTACT, AT, WHY, COVERED, DeclineKind.OTHER)
    past(submitted(), triaged(), checked(), ASKED).when(command).then(declined(CONTACT, Step.CONFIRMATION))


def test_a_contact_of_another_lead_provider_finds_nothing_to_confirm() -> None:
    past(submitted(), triaged(), checked(), ASKED).when(confirm(OTHER_CONTACT)).then_raises(NothingThere)


def test_nothing_is_granted_on_an_agreement_that_ended_meanwhile() -> None:
    past(submitted(), triaged(), checked(), ASKED).when(confirm(check=UNCOVERED)).then_raises(NoLongerCovered)


def test_what_policy_passed_against_advice_needs_no_agreement_later() -> None:
    history: Sequence[Event] = [submitted(), triaged(), checked(against_advice=True), ASKED]
    past(*history).when(confirm(check=UNCOVERED)).then(confirmed(), GRANTED)


# --- withdrawal -----------------------------------------------------------------------------------


@pytest.mark.parametrize("history", OPEN)
def test_an_open_request_can_be_withdrawn_by_the_organisation_that_made_it(history: Sequence[Event]) -> None:
    colleague_of_the_maker = Actor(person("third user"), Role.DELIVERY_PARTNER, PARTNER)
    past(*history).when(Withdraw(colleague_of_the_maker, AT, WHY)).then(withdrawn(colleague_of_the_maker))


@pytest.mark.parametrize("history", CLOSED)
def test_a_closed_request_cannot_be_withdrawn(history: Sequence[Event]) -> None:
    past(*history).when(Withdraw(USER, AT, WHY)).then_raises(NotAwaitingThisStep)


@pytest.mark.parametrize(
    "by", [SUPPORT, POLICY, CONTACT, BODY_USER, Actor(USER.person_id, Role.DELIVERY_PARTNER, OTHER_PARTNER)]
)
def test_nobody_else_withdraws_a_request(by: Actor) -> None:
    past(submitted()).when(Withdraw(by, AT, WHY)).then_raises(NotYourStep)


def test_support_withdraws_what_support_entered() -> None:
    past(submitted(SUPPORT)).when(Withdraw(OTHER_SUPPORT, AT, WHY)).then(withdrawn(OTHER_SUPPORT))

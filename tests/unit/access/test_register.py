"""Agreements, grants and people: what is decided, and what is refused."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from services.access.domain.agreement import EndAgreementEarly, LetLapse, RecordAgreement
from services.access.domain.coverage import Cover, Coverage, Terms
from services.access.domain.events import (
    AgreementEndedEarly,
    AgreementLapsed,
    AgreementRecorded,
    EndReason,
    GrantEnded,
    GrantGiven,
    GrantRestored,
    GrantSuspended,
    PersonDetailsChanged,
    PersonRegistered,
    SuspendReason,
)
from services.access.domain.grant import (
    GiveGrant,
    MarkLeaver,
    RestoreGrant,
    RevokeGrant,
    Suspend,
)
from services.access.domain.grant_state import months_later
from services.access.domain.person import ChangeDetails, RegisterPerson
from services.access.domain.refusals import (
    AlreadyEnded,
    AlreadyGranted,
    AlreadyRecorded,
    DatesReversed,
    FourEyes,
    NotCovered,
    NothingThere,
    NotSuspended,
    NotYourStep,
    OnlyAdministrators,
    OutsideTheTerm,
)
from services.access.domain.vocabulary import Actor, Role
from services.access.handlers.deciding import AGREEMENT as REGISTER
from services.access.handlers.deciding import GRANT as GRANTS
from services.access.handlers.deciding import PERSON as PEOPLE
from tests.unit.access.cast import (
    ADMINISTRATOR,
    AGREEMENT,
    AT,
    AUDITOR,
    BODY_USER,
    COLLEAGUE,
    CONTACT,
    GRANT,
    OTHER_PARTNER,
    PARTNER,
    POLICY,
    PROVIDER,
    REQUEST,
    SUPPORT,
    TODAY,
    USER,
)
from tests.unit.access.given import given

TOMORROW, YESTERDAY = TODAY + timedelta(days=1), TODAY - timedelta(days=1)
TERMS = Terms(PARTNER, PROVIDER, date(2026, 9, 1), date(2027, 8, 31), "DSA-1")
RECORD = RecordAgreement(AGREEMENT, TERMS, POLICY, AT, TODAY)
RECORDED = AgreementRecorded(AGREEMENT, TERMS, POLICY.person_id, AT)
END = EndAgreementEarly(TODAY, "Given up.", POLICY, AT, TODAY)
LAPSED = AgreementLapsed(AGREEMENT, PARTNER, AT)


def ended_early(on: date) -> AgreementEndedEarly:
    return AgreementEndedEarly(AGREEMENT, TERMS, on, "Given up.", POLICY.person_id, AT)


# --- agreements -----------------------------------------------------------------------------------


def test_policy_records_an_agreement() -> None:
    given(REGISTER).when(RECORD).then(RECORDED)


def test_an_agreement_recorded_after_its_end_has_lapsed() -> None:
    past = replace(TERMS, starts_on=date(2024, 9, 1), ends_on=YESTERDAY)
    given(REGISTER).when(replace(RECORD, terms=past)).then(replace(RECORDED, terms=past), LAPSED)


def test_an_agreement_does_not_end_before_it_starts() -> None:
    reversed_ = replace(TERMS, ends_on=TERMS.starts_on - timedelta(days=1))
    given(REGISTER).when(replace(RECORD, terms=reversed_)).then_raises(DatesReversed)


def test_an_agreement_is_recorded_once() -> None:
    given(REGISTER, RECORDED).when(RECORD).then_raises(AlreadyRecorded)


@pytest.mark.parametrize("by", [USER, SUPPORT, CONTACT, ADMINISTRATOR, AUDITOR])
def test_only_policy_keeps_the_register(by: Actor) -> None:
    given(REGISTER).when(replace(RECORD, by=by)).then_raises(NotYourStep)
    given(REGISTER, RECORDED).when(replace(END, by=by)).then_raises(NotYourStep)


@pytest.mark.parametrize("day", [TERMS.starts_on, YESTERDAY, TODAY])
def test_an_agreement_ended_by_now_lapses_at_once(day: date) -> None:
    given(REGISTER, RECORDED).when(replace(END, ended_early_on=day)).then(ended_early(day), LAPSED)


def test_an_agreement_ended_from_a_later_day_runs_until_then() -> None:
    command = replace(END, ended_early_on=TOMORROW)
    given(REGISTER, RECORDED).when(command).then(ended_early(TOMORROW))


@pytest.mark.parametrize("day", [TERMS.starts_on - timedelta(days=1), TERMS.ends_on + timedelta(days=1)])
def test_an_agreement_ends_early_within_its_term(day: date) -> None:
    given(REGISTER, RECORDED).when(replace(END, ended_early_on=day)).then_raises(OutsideTheTerm)


def test_an_agreement_ends_once() -> None:
    given(REGISTER, RECORDED, ended_early(TOMORROW)).when(END).then_raises(AlreadyEnded)
    given(REGISTER, RECORDED, LAPSED).when(END).then_raises(AlreadyEnded)


def test_an_agreement_that_is_not_there_does_not_end() -> None:
    given(REGISTER).when(END).then_raises(NothingThere)


@pytest.mark.parametrize(
    ("today", "lapses"), [(TERMS.ends_on, False), (TERMS.ends_on + timedelta(days=1), True)]
)
def test_an_agreement_lapses_the_day_after_its_last_one(today: date, lapses: bool) -> None:
    given(REGISTER, RECORDED).when(LetLapse(AT, today)).then(*[LAPSED] * lapses)


def test_an_agreement_ended_early_lapses_on_that_day() -> None:
    given(REGISTER, RECORDED, ended_early(TOMORROW)).when(LetLapse(AT, TODAY)).then()
    given(REGISTER, RECORDED, ended_early(TOMORROW)).when(LetLapse(AT, TOMORROW)).then(LAPSED)


def test_an_agreement_lapses_once() -> None:
    given(REGISTER, RECORDED, LAPSED).when(LetLapse(AT, date(2030, 1, 1))).then()


# --- grants ---------------------------------------------------------------------------------------

GIVE = GiveGrant(
    grant_id=GRANT,
    person_id=COLLEAGUE,
    role=Role.DELIVERY_PARTNER,
    organisation_id=PARTNER,
    request_id=REQUEST,
    agreements=(AGREEMENT,),
    by=CONTACT.person_id,
    at=AT,
    today=TODAY,
)
GIVEN = GrantGiven(
    grant_id=GRANT,
    person_id=COLLEAGUE,
    role=Role.DELIVERY_PARTNER,
    organisation_id=PARTNER,
    request_id=REQUEST,
    agreements=(AGREEMENT,),
    by=CONTACT.person_id,
    at=AT,
    review_on=date(2027, 11, 25),
)
STAFF_GIVEN = replace(GIVEN, role=Role.POLICY, organisation_id=None, review_on=None)
REVOKE = RevokeGrant(SUPPORT, AT, "Left.")


def ended(given_: GrantGiven, by: Actor) -> GrantEnded:
    return GrantEnded(
        GRANT, COLLEAGUE, given_.role, given_.organisation_id, EndReason.REVOKED, "Left.", by.person_id, AT
    )


def test_a_grant_is_reviewed_after_a_year() -> None:
    given(GRANTS).when(GIVE).then(GIVEN)


@pytest.mark.parametrize("role", [role for role in Role if role.is_staff or role is Role.LEAD_PROVIDER])
def test_what_staff_look_after_themselves_has_no_review_date(role: Role) -> None:
    given(GRANTS).when(replace(GIVE, role=role)).then(replace(GIVEN, role=role, review_on=None))


def test_a_grant_is_given_once() -> None:
    given(GRANTS, GIVEN).when(GIVE).then_raises(AlreadyGranted)


@pytest.mark.parametrize("by", [SUPPORT, ADMINISTRATOR])
def test_support_and_administrators_revoke_a_grant(by: Actor) -> None:
    given(GRANTS, GIVEN).when(replace(REVOKE, by=by)).then(ended(GIVEN, by))


@pytest.mark.parametrize("by", [USER, POLICY, CONTACT, AUDITOR])
def test_nobody_else_revokes_a_grant(by: Actor) -> None:
    given(GRANTS, GIVEN).when(replace(REVOKE, by=by)).then_raises(NotYourStep)


def test_only_an_administrator_revokes_what_staff_hold() -> None:
    given(GRANTS, STAFF_GIVEN).when(REVOKE).then_raises(OnlyAdministrators)
    given(GRANTS, STAFF_GIVEN).when(replace(REVOKE, by=ADMINISTRATOR)).then(ended(STAFF_GIVEN, ADMINISTRATOR))


def test_a_grant_is_revoked_once() -> None:
    given(GRANTS, GIVEN, ended(GIVEN, SUPPORT)).when(REVOKE).then_raises(AlreadyEnded)


SUSPEND = Suspend(SuspendReason.AGREEMENT_ENDED, AT)
SUSPENDED = GrantSuspended(
    GRANT, COLLEAGUE, Role.DELIVERY_PARTNER, PARTNER, SuspendReason.AGREEMENT_ENDED, AT
)
COVERED = Coverage(TODAY, True, (Cover(AGREEMENT, PROVIDER, date(2027, 8, 31)),), "Covered.")
RESTORE = RestoreGrant(POLICY, AT, "Renewed.", COVERED, TODAY)
RESTORED = GrantRestored(
    GRANT,
    COLLEAGUE,
    Role.DELIVERY_PARTNER,
    PARTNER,
    (AGREEMENT,),
    "Renewed.",
    POLICY.person_id,
    AT,
    date(2027, 11, 25),
)
LEAVER = MarkLeaver(USER, AT, "Left.")
LEFT = GrantEnded(
    GRANT, COLLEAGUE, Role.DELIVERY_PARTNER, PARTNER, EndReason.LEFT, "Left.", USER.person_id, AT
)


def test_a_grant_is_suspended_with_the_last_agreement_by_itself_and_once() -> None:
    given(GRANTS, GIVEN).when(SUSPEND).then(SUSPENDED)
    given(GRANTS, GIVEN, SUSPENDED).when(SUSPEND).then()


def test_an_ended_grant_is_not_suspended() -> None:
    given(GRANTS, GIVEN, ended(GIVEN, SUPPORT)).when(SUSPEND).then()


def test_policy_restores_a_suspended_grant_that_is_covered_again() -> None:
    given(GRANTS, GIVEN, SUSPENDED).when(RESTORE).then(RESTORED)
    given(GRANTS, GIVEN, SUSPENDED, RESTORED).when(RESTORE).then_raises(NotSuspended)
    given(GRANTS, GIVEN, SUSPENDED, RESTORED).when(SUSPEND).then(SUSPENDED)


def test_nothing_is_restored_without_cover_or_by_the_person_or_after_the_end() -> None:
    uncovered = replace(RESTORE, check=replace(COVERED, covers=()))
    given(GRANTS, GIVEN, SUSPENDED).when(uncovered).then_raises(NotCovered)
    own = replace(RESTORE, by=replace(POLICY, person_id=COLLEAGUE))
    given(GRANTS, GIVEN, SUSPENDED).when(own).then_raises(FourEyes)
    given(GRANTS, GIVEN, SUSPENDED, ended(GIVEN, SUPPORT)).when(RESTORE).then_raises(NotSuspended)
    given(GRANTS, GIVEN).when(RESTORE).then_raises(NotSuspended)


@pytest.mark.parametrize("by", [USER, SUPPORT, CONTACT, AUDITOR, ADMINISTRATOR])
def test_only_policy_restores(by: Actor) -> None:
    given(GRANTS, GIVEN, SUSPENDED).when(replace(RESTORE, by=by)).then_raises(NotYourStep)


def test_a_suspended_grant_can_be_revoked() -> None:
    given(GRANTS, GIVEN, SUSPENDED).when(REVOKE).then(ended(GIVEN, SUPPORT))


def test_the_organisation_says_that_somebody_has_left() -> None:
    given(GRANTS, GIVEN).when(LEAVER).then(LEFT)
    given(GRANTS, GIVEN, LEFT).when(LEAVER).then_raises(AlreadyEnded)


@pytest.mark.parametrize(
    "by", [SUPPORT, POLICY, CONTACT, BODY_USER, replace(USER, organisation_id=OTHER_PARTNER)]
)
def test_nobody_marks_leavers_of_another_organisation(by: Actor) -> None:
    given(GRANTS, GIVEN).when(replace(LEAVER, by=by)).then_raises(NothingThere)
    given(GRANTS, STAFF_GIVEN).when(replace(LEAVER, by=POLICY)).then_raises(NothingThere)


@pytest.mark.parametrize(
    ("day", "months", "later"),
    [
        (date(2026, 11, 25), 12, date(2027, 11, 25)),
        (date(2028, 2, 29), 12, date(2029, 2, 28)),
        (date(2026, 12, 31), 2, date(2027, 2, 28)),
        (date(2026, 12, 1), 1, date(2027, 1, 1)),
    ],
)
def test_a_month_later_is_the_same_day_or_the_months_last(day: date, months: int, later: date) -> None:
    assert months_later(day, months) == later


# --- people ---------------------------------------------------------------------------------------

REGISTER_PERSON = RegisterPerson(COLLEAGUE, "Dana Whitfield", "dana@example.org", None, AT)
REGISTERED = PersonRegistered(COLLEAGUE, "Dana Whitfield", "dana@example.org", None, AT)


def test_a_person_is_registered_once() -> None:
    given(PEOPLE).when(REGISTER_PERSON).then(REGISTERED)
    given(PEOPLE, REGISTERED).when(REGISTER_PERSON).then()


def test_changed_details_are_told_and_unchanged_ones_are_not() -> None:
    change = ChangeDetails("Dana Whitfield-Shah", "dana@example.org", SUPPORT.person_id, AT)
    changed = PersonDetailsChanged(
        COLLEAGUE, "Dana Whitfield-Shah", "dana@example.org", SUPPORT.person_id, AT
    )
    given(PEOPLE, REGISTERED).when(change).then(changed)
    given(PEOPLE, REGISTERED, changed).when(change).then()


def test_details_of_nobody_do_not_change() -> None:
    change = ChangeDetails("Dana", "dana@example.org", None, AT)
    given(PEOPLE).when(change).then_raises(NothingThere)

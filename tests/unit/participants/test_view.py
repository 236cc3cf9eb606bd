"""The row is ready to be shown: the fields of docs/domain.md, "The record that a delivery partner sees"."""

from datetime import date

import pytest

from services.participants.domain.facts import School
from services.participants.domain.references import refers_to
from services.participants.domain.view import Names, searchable
from shared.contracts import manage_ects as events
from shared.contracts.manage_ects import OrganisationKind, ParticipantRole, TrainingStatus
from tests.unit.participants.stories import (
    ALDER,
    BIRCH,
    BODY,
    ECT,
    FIRST,
    HILL_HIGH,
    MENTOR,
    NO_NAMES,
    NORTH,
    NORTH_AT_HILL,
    NORTH_PARTNER,
    an_ect_in_training,
    closed,
    completed,
    deferred,
    details_received,
    given,
    mentor_assigned,
    on,
    opened,
    registered,
    reported,
    validated,
)

TODAY = "2025-03-10"


def test_a_row_has_all_that_the_page_shows() -> None:
    row = an_ect_in_training(appropriate_body_id=BODY).shown_to(NORTH_PARTNER, TODAY)
    assert (row.organisation_kind, row.organisation_id) == (OrganisationKind.DELIVERY_PARTNER, NORTH)
    assert (row.participant_id, row.induction_record_id) == (ECT, FIRST)
    assert (row.full_name, row.email, row.trn) == ("Zoë O’Brien", "zoe@hill.example.org", "0123456")
    assert (row.role, row.academic_year, row.training_status) == (
        ParticipantRole.ECT,
        2024,
        TrainingStatus.ACTIVE,
    )
    assert (row.lead_provider, row.school, row.urn) == ("Alder Éducation", "Hill High School", "012345")
    assert row.rule == "T10"


def test_an_appropriate_body_is_shown_the_same_fields() -> None:
    rows = an_ect_in_training(appropriate_body_id=BODY).rows(TODAY)
    partner, body = sorted(rows.values(), key=lambda row: row.organisation_kind, reverse=True)
    assert body.organisation_id == BODY
    assert (body.email, body.lead_provider, body.status) == (
        partner.email,
        partner.lead_provider,
        partner.status,
    )


def test_only_a_validated_trn_is_shown_and_one_taken_back_is_not() -> None:
    told = given(
        on("2024-06-01", reported()),
        on("2024-09-02", registered()),
        on("2024-09-02", opened()),
        on("2024-09-20", details_received("7654321")),
    )
    assert told.shown_to(NORTH_PARTNER, TODAY).trn is None
    assert "7654321" not in told.shown_to(NORTH_PARTNER, TODAY).search_text
    matched = told.and_then(on("2024-09-21", validated("0123456")))
    assert matched.shown_to(NORTH_PARTNER, TODAY).trn == "0123456"
    taken_back = matched.and_then(on("2024-09-22", validated(None)))
    assert taken_back.shown_to(NORTH_PARTNER, TODAY).trn is None


def test_the_email_is_the_one_preferred_for_the_record_else_the_persons() -> None:
    story = an_ect_in_training(preferred_email="z@hill.example.org")
    assert story.shown_to(NORTH_PARTNER, TODAY).email == "z@hill.example.org"
    back = events.PreferredEmailChanged(participant_id=ECT, induction_record_id=FIRST, preferred_email=None)
    changed = events.ParticipantDetailsChanged(
        participant_id=ECT, full_name="Zoë Smith", email="zs@example.org"
    )
    row = story.and_then(on("2024-10-05", back), on("2024-10-06", changed)).shown_to(NORTH_PARTNER, TODAY)
    assert (row.full_name, row.email) == ("Zoë Smith", "zs@example.org")


def test_the_academic_year_and_the_training_status_are_those_of_the_record_shown() -> None:
    story = an_ect_in_training(academic_year=2023).and_then(on("2024-11-01", deferred()))
    row = story.shown_to(NORTH_PARTNER, TODAY)
    assert (row.academic_year, row.training_status) == (2023, TrainingStatus.DEFERRED)


def test_the_day_of_completion_is_kept_when_the_record_is_not_known() -> None:
    story = an_ect_in_training().and_then(on("2025-02-01", completed("2025-01-31", record=MENTOR)))
    row = story.shown_to(NORTH_PARTNER, TODAY)
    assert row.induction_completed_on == date(2025, 1, 31)


def test_the_day_of_leaving_the_school_is_shown_for_who_leaves_only() -> None:
    changed = an_ect_in_training().and_then(on("2025-01-05", closed("changed", "2025-01-05")))
    assert changed.shown_to(NORTH_PARTNER, TODAY).school_left_on is None
    leaving = an_ect_in_training().and_then(on("2025-01-05", closed("leaving", "2025-04-05")))
    assert leaving.shown_to(NORTH_PARTNER, TODAY).school_left_on == date(2025, 4, 5)


def test_names_not_known_yet_are_blank_and_are_right_once_they_are() -> None:
    story = an_ect_in_training()
    blank = story.shown_to(NORTH_PARTNER, TODAY, names=NO_NAMES)
    assert (blank.lead_provider, blank.school, blank.urn) == (None, None, None)
    assert blank.search_text == "zoe o’brien\n0123456\nzoe@hill.example.org"
    school_only = Names({}, {HILL_HIGH: School(HILL_HIGH, "012345", "Hill High School")})
    assert story.shown_to(NORTH_PARTNER, TODAY, names=school_only).urn == "012345"


def test_a_row_is_found_by_name_school_trn_email_lead_provider_and_urn_in_any_case_without_accents() -> None:
    row = an_ect_in_training().shown_to(NORTH_PARTNER, TODAY)
    assert row.search_text.split("\n") == [
        "zoe o’brien",
        "hill high school",
        "0123456",
        "zoe@hill.example.org",
        "alder education",
        "012345",
    ]
    assert searchable("ZOË") in row.search_text


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("Ångström", "angstrom"),
        ("NGUYỄN Thị", "nguyen thi"),
        ("Nguye\u0302\u0303n", "nguyen"),
        ("Straße", "strasse"),
        ("ﬁlm", "film"),
        ("  two\n words ", "two words"),
        ("名前", "名前"),
    ],
)
def test_search_compares_without_case_accents_and_spaces_to_spare(text: str, form: str) -> None:
    assert searchable(text) == form


def test_rows_come_in_a_fixed_order() -> None:
    rows = list(an_ect_in_training(appropriate_body_id=BODY).rows(TODAY).values())
    assert [row.organisation_kind for row in rows] == ["appropriate_body", "delivery_partner"]


def test_references_name_what_a_row_depends_on() -> None:
    assert refers_to(opened()) == (NORTH_AT_HILL, HILL_HIGH)
    assert refers_to(opened(partnership_id=None)) == (HILL_HIGH,)
    assert refers_to(reported()) == (ALDER,)
    changed = events.PartnershipProvidersChanged(partnership_id=NORTH_AT_HILL, lead_provider_id=BIRCH)
    assert refers_to(changed) == (BIRCH,)
    assert refers_to(registered()) == ()
    assert refers_to(mentor_assigned(MENTOR)) == ()

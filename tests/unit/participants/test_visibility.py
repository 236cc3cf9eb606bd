"""Whose participants they are: docs/domain.md, "The record that a delivery partner sees"."""

from services.participants.domain.status import State, Status
from shared.contracts import manage_ects as events
from tests.unit.participants.stories import (
    BODY,
    ENDED,
    FIRST,
    HILL_HIGH,
    NORTH,
    NORTH_AT_HILL,
    NORTH_PARTNER,
    OTHER_BODY,
    SECOND,
    SOUTH,
    SOUTH_AT_HILL,
    SOUTH_AT_VALE,
    SOUTH_PARTNER,
    THE_BODY,
    THIRD,
    TRAINING,
    VALE_INFANT,
    an_ect_in_training,
    challenged,
    closed,
    confirmed,
    given,
    on,
    opened,
    registered,
    removed,
    reported,
    unchallenged,
)

TODAY = "2025-03-10"


def test_a_delivery_partner_sees_whom_its_partnership_names() -> None:
    assert set(an_ect_in_training().rows(TODAY)) == {NORTH_PARTNER}


def test_a_partner_goes_on_seeing_who_moved_away_by_its_own_record_and_never_the_new_school() -> None:
    moved = an_ect_in_training().and_then(
        on("2025-01-10", reported(SOUTH_AT_VALE, SOUTH, school_id=VALE_INFANT)),
        on("2025-01-15", closed("leaving", "2025-02-01")),
        on(
            "2025-01-15",
            opened(
                SECOND,
                partnership_id=SOUTH_AT_VALE,
                school_id=VALE_INFANT,
                start_date="2025-02-01",
                school_transfer=True,
                preferred_email="zoe@vale.example.org",
            ),
        ),
    )

    old, new = moved.shown_to(NORTH_PARTNER, TODAY), moved.shown_to(SOUTH_PARTNER, TODAY)

    assert (old.induction_record_id, old.school, old.status) == (FIRST, "Hill High School", ENDED)
    assert "vale" not in old.search_text
    assert str(old.school_left_on) == "2025-02-01"
    assert (new.induction_record_id, new.school, new.status) == (SECOND, "Vale Infant School", TRAINING)
    assert new.school_left_on is None


def test_both_records_of_a_transfer_within_one_partner_show_as_the_new_one() -> None:
    moved = an_ect_in_training().and_then(
        on("2025-01-15", closed("leaving", "2025-04-01")),
        on(
            "2025-01-15", opened(SECOND, school_id=VALE_INFANT, start_date="2025-04-01", school_transfer=True)
        ),
    )
    assert moved.shown_to(NORTH_PARTNER, TODAY).induction_record_id == SECOND


def test_a_challenge_hides_the_participant_at_once_and_taking_it_back_shows_them_again() -> None:
    disputed = an_ect_in_training().and_then(on("2025-01-10", challenged()))
    assert disputed.rows(TODAY) == {}
    assert set(disputed.and_then(on("2025-01-12", unchallenged())).rows(TODAY)) == {NORTH_PARTNER}


def test_a_challenged_partnership_reported_anew_counts_again() -> None:
    again = an_ect_in_training().and_then(on("2025-01-10", challenged()), on("2025-01-12", reported()))
    assert set(again.rows(TODAY)) == {NORTH_PARTNER}


def test_a_later_record_with_another_partner_does_not_hide_the_participant_but_ends_them() -> None:
    replaced = an_ect_in_training().and_then(
        on("2025-01-10", reported(SOUTH_AT_HILL, SOUTH)),
        on("2025-01-12", closed("changed", "2025-01-12")),
        on("2025-01-12", opened(SECOND, partnership_id=SOUTH_AT_HILL, start_date="2025-01-12")),
    )
    assert replaced.shown_to(NORTH_PARTNER, TODAY).status is ENDED
    assert replaced.shown_to(SOUTH_PARTNER, TODAY).status is TRAINING


def test_a_challenged_record_gives_way_to_an_older_one_of_the_same_partner() -> None:
    story = an_ect_in_training().and_then(
        on("2025-01-10", reported(SOUTH_AT_HILL, NORTH)),
        on("2025-01-12", closed("changed", "2025-01-12")),
        on("2025-01-12", opened(SECOND, partnership_id=SOUTH_AT_HILL, start_date="2025-01-12")),
    )
    assert story.shown_to(NORTH_PARTNER, TODAY).induction_record_id == SECOND
    disputed = story.and_then(on("2025-02-01", challenged(SOUTH_AT_HILL)))
    assert disputed.shown_to(NORTH_PARTNER, TODAY).induction_record_id == FIRST


def test_a_pending_partnership_shows_nobody_until_it_is_confirmed() -> None:
    waiting = given(
        on("2024-06-01", reported(pending=True)),
        on("2024-09-02", registered()),
        on("2024-09-02", opened()),
    )
    assert waiting.rows(TODAY) == {}
    assert set(waiting.and_then(on("2024-09-05", confirmed())).rows(TODAY)) == {NORTH_PARTNER}


def test_a_partnership_without_delivery_partner_shows_nobody_until_it_has_one() -> None:
    alone = given(
        on("2024-06-01", reported(partner=None)), on("2024-09-02", registered()), on("2024-09-02", opened())
    )
    assert alone.rows(TODAY) == {}
    changed = events.PartnershipProvidersChanged(
        partnership_id=NORTH_AT_HILL,
        lead_provider_id=reported().lead_provider_id,
        delivery_partner_id=NORTH,
    )
    assert set(alone.and_then(on("2024-09-05", changed)).rows(TODAY)) == {NORTH_PARTNER}


def test_when_the_partnership_changes_partner_the_participant_changes_hands() -> None:
    changed = events.PartnershipProvidersChanged(
        partnership_id=NORTH_AT_HILL,
        lead_provider_id=reported().lead_provider_id,
        delivery_partner_id=SOUTH,
    )
    story = an_ect_in_training().and_then(on("2025-01-05", changed))
    assert set(story.rows(TODAY)) == {SOUTH_PARTNER}


def test_a_record_whose_partnership_is_not_known_yet_is_shown_once_it_is() -> None:
    early = given(on("2024-09-02", registered()), on("2024-09-02", opened()))
    assert early.rows(TODAY) == {}
    assert set(early.and_then(on("2024-06-01", reported())).rows(TODAY)) == {NORTH_PARTNER}


def test_no_end_date_comes_before_any_end_date_even_a_later_start() -> None:
    story = an_ect_in_training().and_then(
        on("2025-01-12", opened(SECOND, start_date="2025-01-12", end_date="2026-07-31"))
    )
    assert story.shown_to(NORTH_PARTNER, TODAY).induction_record_id == FIRST


def test_among_records_with_an_end_the_latest_start_counts_and_not_the_latest_end() -> None:
    story = an_ect_in_training(end_date="2026-07-31").and_then(
        on("2025-01-12", opened(SECOND, start_date="2025-01-12", end_date="2025-02-01"))
    )
    assert story.shown_to(NORTH_PARTNER, TODAY).induction_record_id == SECOND


def test_with_equal_dates_the_record_opened_last_counts() -> None:
    story = an_ect_in_training().and_then(on("2024-09-03", opened(SECOND)), on("2024-09-03", opened(THIRD)))
    assert story.shown_to(NORTH_PARTNER, TODAY).induction_record_id == THIRD


def test_a_record_opened_again_is_replaced_and_keeps_its_place() -> None:
    story = an_ect_in_training().and_then(
        on("2024-09-03", opened(SECOND)), on("2024-09-04", opened(FIRST, academic_year=2023))
    )
    assert story.shown_to(NORTH_PARTNER, TODAY).induction_record_id == SECOND
    moved = an_ect_in_training().and_then(
        on("2024-09-04", opened(FIRST, academic_year=2023, school_id=VALE_INFANT))
    )
    row = moved.shown_to(NORTH_PARTNER, TODAY)
    assert (row.academic_year, row.school) == (2023, "Vale Infant School")


def test_an_appropriate_body_sees_whose_latest_record_names_it_whatever_the_partnership() -> None:
    story = given(
        on("2024-09-02", registered()),
        on("2024-09-02", opened(partnership_id=None, appropriate_body_id=BODY)),
    )
    assert set(story.rows(TODAY)) == {THE_BODY}


def test_a_full_programme_without_partnership_reads_as_waiting_for_a_lead_provider() -> None:
    story = an_ect_in_training(partnership_id=None, appropriate_body_id=BODY)
    row = story.shown_to(THE_BODY, TODAY)
    assert (row.status, row.state) == (TRAINING, State.REGISTERED_FOR_FIP_NO_PARTNER)
    assert row.lead_provider is None


def test_of_records_with_equal_dates_the_appropriate_body_of_the_one_opened_last_counts() -> None:
    story = an_ect_in_training(appropriate_body_id=BODY).and_then(
        on("2024-10-05", opened(SECOND, appropriate_body_id=OTHER_BODY))
    )
    assert {viewer.organisation_id for viewer in story.rows(TODAY)} == {NORTH, OTHER_BODY}


def test_a_former_appropriate_body_sees_nothing_any_more() -> None:
    story = an_ect_in_training(appropriate_body_id=BODY)
    assert set(story.rows(TODAY)) == {NORTH_PARTNER, THE_BODY}
    moved = story.and_then(
        on("2025-01-15", closed("leaving", "2025-02-01")),
        on(
            "2025-01-15",
            opened(
                SECOND,
                partnership_id=None,
                school_id=VALE_INFANT,
                start_date="2025-02-01",
                appropriate_body_id=OTHER_BODY,
            ),
        ),
    )
    assert {viewer.organisation_id for viewer in moved.rows(TODAY)} == {NORTH, OTHER_BODY}


def test_an_appropriate_body_assigned_and_taken_away_comes_and_goes() -> None:
    def assigned(body_id: object) -> events.AppropriateBodyAssigned:
        return events.AppropriateBodyAssigned.model_validate(
            {
                "participant_id": registered().participant_id,
                "induction_record_id": FIRST,
                "appropriate_body_id": body_id,
            }
        )

    story = an_ect_in_training().and_then(on("2024-10-05", assigned(BODY)))
    assert THE_BODY in story.rows(TODAY)
    assert THE_BODY not in story.and_then(on("2024-10-06", assigned(None))).rows(TODAY)


def test_partner_and_body_may_be_shown_different_records_and_statuses() -> None:
    story = an_ect_in_training(appropriate_body_id=BODY).and_then(
        on("2025-01-12", closed("changed", "2025-01-12")),
        on(
            "2025-01-12",
            opened(
                SECOND,
                partnership_id=None,
                programme="core",
                start_date="2025-01-12",
                appropriate_body_id=BODY,
            ),
        ),
    )
    assert story.shown_to(NORTH_PARTNER, TODAY).status is Status.NO_LONGER_BEING_TRAINED
    assert story.shown_to(THE_BODY, TODAY).status is Status.TRAINING_OR_ELIGIBLE_FOR_TRAINING
    assert story.shown_to(THE_BODY, TODAY).lead_provider is None


def test_nobody_is_shown_who_is_not_registered_yet_and_what_was_known_before_counts_then() -> None:
    unknown = given(
        on("2024-06-01", reported()),
        on("2024-09-02", opened()),
        on("2024-09-03", events.TrnValidated(participant_id=registered().participant_id, trn="0123456")),
    )
    assert unknown.rows(TODAY) == {}
    row = unknown.and_then(on("2024-09-04", registered())).shown_to(NORTH_PARTNER, TODAY)
    assert (row.school, row.trn) == ("Hill High School", "0123456")


def test_who_is_removed_vanishes_everywhere_and_does_not_come_back() -> None:
    story = an_ect_in_training(appropriate_body_id=BODY).and_then(on("2025-01-01", removed()))
    assert story.rows(TODAY) == {}
    again = story.and_then(on("2025-01-02", registered()), on("2025-01-02", opened(school_id=HILL_HIGH)))
    assert again.rows(TODAY) == {}

"""The history of a status: what changed it, when, when we heard of it, and what the calendar does alone."""

from dataclasses import replace
from datetime import UTC, date, datetime

from services.participants.domain.status import State, Status
from shared.contracts import manage_ects as events
from tests.unit.participants.stories import (
    BODY,
    ECT,
    ENDED,
    HILL_HIGH,
    MENTOR,
    NORTH_PARTNER,
    SECOND,
    SOUTH,
    SOUTH_AT_HILL,
    SOUTH_AT_VALE,
    SOUTH_PARTNER,
    THE_BODY,
    TRAINING,
    VALE_INFANT,
    an_ect_in_training,
    challenged,
    closed,
    completed,
    deferred,
    details_received,
    eligible,
    given,
    on,
    opened,
    registered,
    reported,
    requested,
    resumed,
    unchallenged,
    validated,
    withdrawn,
)


def test_each_step_from_registration_to_completion_is_told_with_its_moment() -> None:
    story = given(
        on("2024-06-01", reported()),
        on("2024-09-02 09:00", registered()),
        on("2024-09-02 09:00", opened()),
        on("2024-09-03 08:00", requested("submitted")),
        on("2024-09-03 08:05", requested("delivered")),
        on("2024-09-20 08:00", details_received()),
        on("2024-09-21 08:00", validated()),
        on("2024-10-01 08:00", eligible("manual_check", "no_qts")),
        on("2024-10-09 08:00", eligible()),
        on(
            "2024-10-10 08:00",
            events.InductionStartRecorded(participant_id=ECT, induction_start_date=date(2024, 9, 2)),
        ),
        on("2025-02-01 08:00", deferred()),
        on("2025-03-01 08:00", resumed()),
        on("2026-07-01 08:00", completed("2026-06-30")),
    )

    row = story.shown_to(NORTH_PARTNER, "2026-09-01")

    assert [(change.status, change.state) for change in row.history] == [
        (Status.CONTACTED_FOR_INFORMATION, State.VALIDATION_NOT_STARTED),
        (Status.CONTACTED_FOR_INFORMATION, State.REQUEST_FOR_DETAILS_SUBMITTED),
        (Status.CONTACTED_FOR_INFORMATION, State.REQUEST_FOR_DETAILS_DELIVERED),
        (Status.DFE_CHECKING_ELIGIBILITY, State.TRA_RECORD_NOT_FOUND),
        (Status.DFE_CHECKING_ELIGIBILITY, State.CHECKS_NOT_COMPLETE),
        (Status.CHECKING_QTS, State.NOT_QUALIFIED),
        (Status.TRAINING_OR_ELIGIBLE_FOR_TRAINING, State.REGISTERED_FOR_FIP_TRAINING),
        (Status.TRAINING_OR_ELIGIBLE_FOR_TRAINING, State.ACTIVE_FIP_TRAINING),
        (Status.PARTICIPANT_DEFERRED, State.DEFERRED_TRAINING),
        (Status.TRAINING_OR_ELIGIBLE_FOR_TRAINING, State.ACTIVE_FIP_TRAINING),
        (Status.INDUCTION_COMPLETED, State.COMPLETED_TRAINING),
    ]
    assert row.history[0].since == datetime(2024, 9, 2, 9, tzinfo=UTC)
    assert row.history[0].received_at == datetime(2024, 9, 2, 10, tzinfo=UTC)
    assert row.status_since == datetime(2026, 7, 1, 8, tzinfo=UTC)
    assert (row.induction_completed_on, row.next_due) == (date(2026, 6, 30), None)


def test_the_status_is_as_old_as_its_run_however_often_the_reason_changed_since() -> None:
    story = given(
        on("2024-06-01", reported()),
        on("2024-09-02 09:00", registered()),
        on("2024-09-02 09:00", opened()),
        on("2024-09-03 08:00", requested("submitted")),
        on("2024-09-03 08:05", requested("failed")),
    )
    row = story.shown_to(NORTH_PARTNER, "2024-09-10")
    assert row.state is State.REQUEST_FOR_DETAILS_FAILED
    assert row.status_since == datetime(2024, 9, 2, 9, tzinfo=UTC)


def test_an_ect_who_is_leaving_has_left_from_the_midnight_in_england_that_begins_the_end_date() -> None:
    story = an_ect_in_training().and_then(on("2025-05-01 09:00", closed("leaving", "2025-06-20")))

    before = story.shown_to(NORTH_PARTNER, "2025-06-19")
    assert (before.status, before.state, before.next_due) == (TRAINING, State.LEAVING, date(2025, 6, 20))

    after = story.shown_to(NORTH_PARTNER, "2025-06-20")
    assert (after.status, after.state, after.next_due) == (ENDED, State.LEFT, None)
    assert after.status_since == datetime(2025, 6, 19, 23, tzinfo=UTC)
    assert after.history[-1].received_at is None


def test_an_ect_who_is_joining_has_joined_from_the_start_date() -> None:
    story = given(
        on("2024-06-01", reported()),
        on("2024-09-02", registered()),
        on("2024-09-02", opened(start_date="2025-01-06", school_transfer=True)),
    )

    before = story.shown_to(NORTH_PARTNER, "2025-01-05")
    assert (before.status, before.state, before.next_due) == (TRAINING, State.JOINING, date(2025, 1, 6))

    after = story.shown_to(NORTH_PARTNER, "2025-01-06")
    assert (after.status, after.next_due) == (Status.CONTACTED_FOR_INFORMATION, None)
    assert after.status_since == datetime(2025, 1, 6, tzinfo=UTC)


def test_the_induction_counts_as_started_from_the_day_after_its_start() -> None:
    story = given(
        on("2024-06-01", reported()),
        on("2024-08-01", registered(induction_start_date="2024-09-02")),
        on("2024-08-01", opened()),
        on("2024-08-02", details_received()),
        on("2024-08-02", validated()),
        on("2024-08-02", eligible()),
    )
    on_the_day = story.shown_to(NORTH_PARTNER, "2024-09-02")
    assert (on_the_day.state, on_the_day.next_due) == (State.REGISTERED_FOR_FIP_TRAINING, date(2024, 9, 3))
    day_after = story.shown_to(NORTH_PARTNER, "2024-09-03")
    assert (day_after.state, day_after.next_due) == (State.ACTIVE_FIP_TRAINING, None)
    assert day_after.status_since == on_the_day.status_since


def test_a_mentor_has_left_on_the_end_date_but_never_joins() -> None:
    story = given(
        on("2024-06-01", reported()),
        on("2024-09-02", registered(MENTOR)),
        on("2024-09-02", opened(participant=MENTOR, start_date="2024-12-01", school_transfer=True)),
        on("2024-09-03", details_received(participant=MENTOR)),
        on("2024-09-03", validated(participant=MENTOR)),
        on("2024-09-03", eligible(participant=MENTOR)),
        on("2024-09-04", registered()),
        on("2024-09-04", opened(SECOND, mentor_participant_id=MENTOR)),
        on("2025-01-05", closed("leaving", "2025-01-31", participant=MENTOR)),
    )
    assert story.shown_to(NORTH_PARTNER, "2024-10-01", MENTOR).next_due == date(2025, 1, 31)
    assert story.shown_to(NORTH_PARTNER, "2025-01-30", MENTOR).state is State.ACTIVE_MENTORING
    left = story.shown_to(NORTH_PARTNER, "2025-01-31", MENTOR)
    assert (left.status, left.state) == (ENDED, State.LEFT)


def test_a_date_that_an_event_overtakes_changes_nothing() -> None:
    story = an_ect_in_training().and_then(
        on("2025-05-01", closed("leaving", "2025-06-20")), on("2025-05-10", opened())
    )
    row = story.shown_to(NORTH_PARTNER, "2025-07-01")
    assert row.state is State.ACTIVE_FIP_TRAINING
    assert [change.state for change in row.history][-3:] == [
        State.ACTIVE_FIP_TRAINING,
        State.LEAVING,
        State.ACTIVE_FIP_TRAINING,
    ]
    assert story.shown_to(NORTH_PARTNER, "2025-05-11").next_due is None


def test_a_date_of_a_record_that_is_not_shown_is_not_due() -> None:
    story = an_ect_in_training().and_then(
        on("2025-05-01", closed("leaving", "2025-06-20")),
        on("2025-05-01", opened(SECOND, start_date="2025-05-01")),
    )
    assert story.shown_to(NORTH_PARTNER, "2025-05-02").next_due is None


def test_leaving_without_an_end_date_is_staying() -> None:
    row = (
        an_ect_in_training()
        .and_then(on("2025-05-01", closed("leaving")))
        .shown_to(NORTH_PARTNER, "2025-06-01")
    )
    assert (row.state, row.next_due) == (State.ACTIVE_FIP_TRAINING, None)


def test_times_when_the_participant_was_not_shown_are_told_as_gaps() -> None:
    story = an_ect_in_training().and_then(
        on("2025-01-10 09:00", challenged()), on("2025-01-12 09:00", unchallenged())
    )
    assert story.history(NORTH_PARTNER, "2025-02-01")[-3:] == [
        ("2024-10-01 13:00", State.ACTIVE_FIP_TRAINING),
        ("2025-01-10 09:00", None),
        ("2025-01-12 09:00", State.ACTIVE_FIP_TRAINING),
    ]
    row = story.shown_to(NORTH_PARTNER, "2025-02-01")
    assert row.history[-2].received_at == datetime(2025, 1, 10, 10, tzinfo=UTC)
    assert row.status_since == datetime(2025, 1, 12, 9, tzinfo=UTC)


def test_the_history_begins_when_the_organisation_was_first_shown_the_participant() -> None:
    story = an_ect_in_training().and_then(
        on("2025-01-10", reported(SOUTH_AT_VALE, SOUTH, school_id=VALE_INFANT)),
        on("2025-01-15 09:00", closed("leaving", "2025-01-15")),
        on(
            "2025-01-15 09:00",
            opened(SECOND, partnership_id=SOUTH_AT_VALE, school_id=VALE_INFANT, start_date="2025-01-15"),
        ),
    )
    assert story.history(SOUTH_PARTNER, "2025-02-01") == [("2025-01-15 09:00", State.ACTIVE_FIP_TRAINING)]
    assert story.history(NORTH_PARTNER, "2025-02-01")[-1] == ("2025-01-15 09:00", State.LEFT)


def test_partner_and_body_each_have_their_own_history() -> None:
    story = an_ect_in_training(appropriate_body_id=BODY).and_then(on("2025-01-10 09:00", challenged()))
    rows = story.rows("2025-02-01")
    assert set(rows) == {THE_BODY}
    assert all(change.state is not None for change in rows[THE_BODY].history)


def test_closing_a_record_to_open_the_next_one_leaves_no_trace_of_the_moment_between() -> None:
    story = an_ect_in_training().and_then(
        on("2025-01-12 09:00:00", closed("changed", "2025-01-12")),
        on("2025-01-12 09:00:02", opened(SECOND, start_date="2025-01-12", training_status="deferred")),
        on("2025-01-12 09:00:03", deferred(SECOND)),
    )
    assert story.history(NORTH_PARTNER, "2025-02-01")[-2:] == [
        ("2024-10-01 13:00", State.ACTIVE_FIP_TRAINING),
        ("2025-01-12 09:00", State.DEFERRED_TRAINING),
    ]


def test_a_new_record_that_changes_nothing_shown_keeps_the_status_as_old_as_it_was() -> None:
    before = an_ect_in_training()
    after = before.and_then(
        on("2025-01-12 09:00:00", closed("changed", "2025-01-12")),
        on("2025-01-12 09:00:02", opened(SECOND, start_date="2025-01-12")),
    )
    old, new = (story.shown_to(NORTH_PARTNER, "2025-02-01") for story in (before, after))
    assert (new.status_since, new.history) == (old.status_since, old.history)


def test_the_latest_change_is_told_however_young_it_is() -> None:
    story = an_ect_in_training().and_then(on("2025-01-12 09:00:00", closed("changed", "2025-01-12")))
    assert story.history(NORTH_PARTNER, "2025-01-12")[-1] == ("2025-01-12 09:00", State.NO_LONGER_INVOLVED)


def test_a_partnership_reported_late_counts_from_when_it_was_reported() -> None:
    story = given(
        on("2024-09-02 09:00", registered()),
        on("2024-09-02 09:00", opened()),
        on("2024-09-20 09:00", reported()),
    )
    assert story.history(NORTH_PARTNER, "2024-10-01") == [("2024-09-20 10:00", State.VALIDATION_NOT_STARTED)]


def test_a_partnership_reported_before_the_record_but_heard_of_later_makes_the_same_history() -> None:
    story = given(
        on("2024-09-02 09:00", registered()),
        on("2024-09-02 09:00", opened()),
        on("2024-06-01 09:00", reported()),
    )
    assert story.history(NORTH_PARTNER, "2024-10-01") == [("2024-09-02 10:00", State.VALIDATION_NOT_STARTED)]


def test_an_event_dated_before_its_predecessor_counts_after_it_nevertheless() -> None:
    """The source's order holds within a participant; times only order different subjects."""
    story = an_ect_in_training().and_then(on("2024-09-01 09:00", withdrawn()))
    assert story.shown_to(NORTH_PARTNER, "2025-02-01").state is State.WITHDRAWN_TRAINING
    assert story.history(NORTH_PARTNER, "2025-02-01")[-1] == ("2024-10-01 13:00", State.WITHDRAWN_TRAINING)


def test_an_event_dated_in_the_future_counts_as_of_today() -> None:
    story = an_ect_in_training().and_then(on("2025-06-25", closed("leaving", "2025-06-20")))
    row = story.shown_to(NORTH_PARTNER, "2025-06-19")
    assert (row.state, row.next_due) == (State.LEAVING, date(2025, 6, 20))
    assert row.history[-1].state is State.LEAVING


def test_what_several_events_changed_together_was_known_when_the_last_of_them_came() -> None:
    story = given(
        on("2024-09-02 09:00", registered()),
        on("2024-09-02 09:00", opened()),
        on("2024-09-02 09:00", reported()),
    )
    registration, *others = story.received
    late = datetime(2024, 10, 1, tzinfo=UTC)
    story = type(story)((replace(registration, received_at=late), *others))
    assert story.shown_to(NORTH_PARTNER, "2024-11-01").history[0].received_at == late


def test_who_is_registered_after_all_else_is_shown_from_then_on() -> None:
    story = given(
        on("2024-06-01", reported()),
        on("2024-09-02 09:00", opened()),
        on("2024-09-04 09:00", registered()),
    )
    assert story.history(NORTH_PARTNER, "2024-10-01") == [("2024-09-04 10:00", State.VALIDATION_NOT_STARTED)]


def test_the_same_event_received_twice_changes_nothing() -> None:
    story = an_ect_in_training()
    twice = type(story)((*story.received, *story.received))
    assert twice.rows("2025-02-01") == story.rows("2025-02-01")


def test_a_change_of_partner_within_a_school_hands_over_at_one_moment() -> None:
    story = an_ect_in_training().and_then(
        on("2025-01-10 09:00", challenged()),
        on("2025-01-11 09:00", reported(SOUTH_AT_HILL, SOUTH)),
        on("2025-01-12 09:00", closed("changed", "2025-01-12")),
        on(
            "2025-01-12 09:00",
            opened(SECOND, partnership_id=SOUTH_AT_HILL, school_id=HILL_HIGH, start_date="2025-01-12"),
        ),
    )
    assert set(story.rows("2025-02-01")) == {SOUTH_PARTNER}
    assert story.history(SOUTH_PARTNER, "2025-02-01") == [("2025-01-12 09:00", State.ACTIVE_FIP_TRAINING)]

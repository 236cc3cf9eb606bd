"""Mentors are made by the records that name them: once named counts for good, mentoring now only explains."""

from datetime import UTC, date, datetime

from services.participants.domain.mentoring import ever_mentored, mentoring_now
from services.participants.domain.status import State, Status
from tests.unit.participants.stories import (
    ECT,
    FIRST,
    MENTOR,
    NORTH_PARTNER,
    OTHER_ECT,
    SECOND,
    THIRD,
    Given,
    Happened,
    closed,
    completed,
    details_received,
    eligible,
    given,
    mentor_assigned,
    on,
    opened,
    registered,
    removed,
    reported,
    validated,
)

TODAY = "2025-03-10"


def a_mentor(*more: Happened, status: str = "eligible", reason: str = "none") -> Given:
    """Registered and checked in September 2024, with NORTH; and an ECT of hers who has no mentor yet."""
    return given(
        on("2024-06-01", reported()),
        on("2024-09-02", registered(MENTOR)),
        on("2024-09-02", opened(THIRD, MENTOR)),
        on("2024-09-03", details_received(participant=MENTOR)),
        on("2024-09-03", validated(participant=MENTOR)),
        on("2024-09-04", eligible(status, reason, participant=MENTOR)),
        on("2024-09-05", registered(ECT)),
        on("2024-09-05", opened(FIRST)),
        *more,
    )


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_the_first_naming_ever_turns_an_early_roll_out_mentor_not_eligible_at_that_moment() -> None:
    named = on("2024-11-01 09:00", mentor_assigned(MENTOR))
    row = a_mentor(named, status="ineligible", reason="previous_participation").shown_to(
        NORTH_PARTNER, TODAY, MENTOR
    )
    assert row.status is Status.NOT_ELIGIBLE_FOR_FUNDED_TRAINING
    assert row.state is State.ACTIVE_MENTORING_ERO
    assert [change.status for change in row.history][-2:] == [
        Status.TRAINING_OR_ELIGIBLE_FOR_TRAINING,
        Status.NOT_ELIGIBLE_FOR_FUNDED_TRAINING,
    ]
    assert row.status_since == moment("2024-11-01 09:00")
    assert row.history[-1].received_at == moment("2024-11-01 10:00")


def test_once_named_is_for_good_when_the_ect_is_taken_away_again() -> None:
    story = a_mentor(
        on("2024-11-01 09:00", mentor_assigned(MENTOR)),
        on("2024-12-01 09:00", mentor_assigned(None)),
        status="ineligible",
        reason="previous_participation",
    )
    row = story.shown_to(NORTH_PARTNER, TODAY, MENTOR)
    assert row.status is Status.NOT_ELIGIBLE_FOR_FUNDED_TRAINING
    assert row.state is State.NOT_YET_MENTORING_ERO
    assert row.status_since == moment("2024-11-01 09:00")


def test_once_named_is_for_good_when_the_ect_is_removed() -> None:
    story = a_mentor(on("2024-11-01", mentor_assigned(MENTOR)), on("2024-12-01", removed()))
    (naming,) = story.namings()
    assert (naming.since, naming.until) == (moment("2024-11-01 12:00"), moment("2024-12-01 12:00"))
    assert ever_mentored([naming], moment("2025-01-01"))
    assert not mentoring_now([naming], moment("2025-01-01"))


def test_the_reason_follows_whether_an_ect_is_mentored_now_and_the_status_does_not() -> None:
    story = a_mentor(
        on("2024-11-01 09:00", mentor_assigned(MENTOR)), on("2024-12-01 09:00", mentor_assigned(None))
    )
    history = story.shown_to(NORTH_PARTNER, TODAY, MENTOR).history
    assert [change.state for change in history][-3:] == [
        State.NOT_YET_MENTORING,
        State.ACTIVE_MENTORING,
        State.NOT_YET_MENTORING,
    ]
    assert {change.status for change in history[-3:]} == {Status.TRAINING_OR_ELIGIBLE_FOR_TRAINING}


def test_a_leaving_ect_is_mentored_until_the_end_date() -> None:
    story = a_mentor(
        on("2024-11-01", mentor_assigned(MENTOR)), on("2025-03-01", closed("leaving", "2025-03-31"))
    )
    row = story.shown_to(NORTH_PARTNER, TODAY, MENTOR)
    assert (row.state, row.next_due) == (State.ACTIVE_MENTORING, date(2025, 3, 31))
    after = story.shown_to(NORTH_PARTNER, "2025-03-31", MENTOR)
    assert (after.state, after.next_due) == (State.NOT_YET_MENTORING, None)
    assert after.history[-1].since == moment("2025-03-30 23:00")
    assert after.history[-1].received_at is None


def test_an_ect_whose_record_is_changed_for_the_next_one_is_mentored_without_a_break() -> None:
    story = a_mentor(
        on("2024-11-01 09:00", mentor_assigned(MENTOR)),
        on("2025-01-05 09:00:00", closed("changed", "2025-01-05")),
        on("2025-01-05 09:00:01", opened(SECOND, mentor_participant_id=MENTOR)),
    )
    history = story.shown_to(NORTH_PARTNER, TODAY, MENTOR).history
    assert history[-1].state is State.ACTIVE_MENTORING
    assert history[-1].since == moment("2024-11-01 09:00")


def test_a_completed_ect_is_not_mentored_any_more() -> None:
    story = a_mentor(on("2024-11-01", mentor_assigned(MENTOR)), on("2025-02-01", completed("2025-01-31")))
    assert story.shown_to(NORTH_PARTNER, TODAY, MENTOR).state is State.NOT_YET_MENTORING


def test_a_record_that_was_closed_when_it_named_the_mentor_counts_as_named_only() -> None:
    story = a_mentor(
        on("2024-10-01", closed("changed", "2024-10-01")), on("2024-11-01", mentor_assigned(MENTOR))
    )
    (naming,) = story.namings()
    assert naming.until == naming.since
    assert not ever_mentored([naming], moment("2024-10-31"))
    assert ever_mentored([naming], moment("2024-11-02"))
    assert not mentoring_now([naming], moment("2024-11-02"))


def test_with_two_ects_the_mentor_is_mentoring_until_the_last_one_is_gone() -> None:
    story = a_mentor(
        on("2024-11-01", mentor_assigned(MENTOR)),
        on("2024-11-02", registered(OTHER_ECT)),
        on("2024-11-02", opened(SECOND, OTHER_ECT, mentor_participant_id=MENTOR)),
        on("2024-12-01", mentor_assigned(None)),
    )
    assert story.shown_to(NORTH_PARTNER, TODAY, MENTOR).state is State.ACTIVE_MENTORING
    alone = story.and_then(on("2025-01-01", closed("withdrawn", "2025-01-01", SECOND, OTHER_ECT)))
    assert alone.shown_to(NORTH_PARTNER, TODAY, MENTOR).state is State.NOT_YET_MENTORING


def test_a_mentor_who_left_is_not_mentoring_though_a_record_still_names_her() -> None:
    story = a_mentor(
        on("2024-11-01", mentor_assigned(MENTOR)),
        on("2025-02-01", closed("leaving", "2025-02-10", THIRD, MENTOR)),
    )
    assert story.shown_to(NORTH_PARTNER, TODAY, MENTOR).state is State.LEFT


def test_a_new_mentor_ends_the_naming_of_the_old_one() -> None:
    other = OTHER_ECT
    story = a_mentor(on("2024-11-01", mentor_assigned(other)), on("2024-12-01", mentor_assigned(MENTOR)))
    first, second = story.namings()
    assert (first.mentor_participant_id, first.until) == (other, moment("2024-12-01 12:00"))
    assert (second.mentor_participant_id, second.until) == (MENTOR, None)
    assert first.ended_received_at == moment("2024-12-01 13:00")


def test_an_event_that_changes_nothing_of_the_naming_leaves_it_alone() -> None:
    before = a_mentor(on("2024-11-01", mentor_assigned(MENTOR)))
    after = before.and_then(on("2024-11-05", eligible()), on("2024-11-06", mentor_assigned(MENTOR)))
    assert after.namings() == before.namings()


def test_who_never_named_a_mentor_has_no_namings() -> None:
    assert a_mentor().namings() == []

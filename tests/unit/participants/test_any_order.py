"""What is shown depends on what happened and on the day: never on the order in which we heard of it."""

import random
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st

from services.participants.domain.london import london_day
from services.participants.domain.received import Received
from services.participants.domain.view import ParticipantView
from services.participants.domain.visibility import Viewer
from shared.contracts import manage_ects as events
from tests.unit.participants.stories import (
    BODY,
    ECT,
    FIRST,
    MENTOR,
    NORTH,
    NORTH_AT_HILL,
    SECOND,
    SOUTH,
    SOUTH_AT_HILL,
    THIRD,
    Given,
    challenged,
    closed,
    completed,
    confirmed,
    deferred,
    details_received,
    eligible,
    mentor_assigned,
    opened,
    registered,
    removed,
    reported,
    requested,
    resumed,
    unchallenged,
    validated,
    withdrawn,
)

Rows = dict[UUID, dict[Viewer, ParticipantView]]
RECORDS, PARTNERSHIPS = (FIRST, SECOND), (NORTH_AT_HILL, SOUTH_AT_HILL)
YES_NO = (True, False)
DAYS = ["2024-08-15", "2024-12-24", "2025-01-20", "2025-03-30", "2025-07-01"]
ANYTHING: list[Any] = [
    *(registered(who, induction_start_date=day) for who in (ECT, MENTOR) for day in (None, *DAYS[:3])),
    *(
        opened(
            record,
            partnership_id=partnership,
            start_date=start,
            end_date=end,
            induction_status=status,
            school_transfer=transfer,
            mentor_participant_id=mentor,
            appropriate_body_id=BODY,
        )
        for record, partnership in zip(RECORDS, PARTNERSHIPS, strict=True)
        for start in DAYS[1:3]
        for end, status in ((None, "active"), (DAYS[3], "leaving"))
        for transfer in YES_NO
        for mentor in (None, MENTOR)
    ),
    *(closed(status, end, record) for status in ("leaving", "changed") for end in DAYS for record in RECORDS),
    opened(THIRD, MENTOR),
    opened(THIRD, MENTOR, partnership_id=SOUTH_AT_HILL, end_date=DAYS[4], induction_status="leaving"),
    closed("leaving", DAYS[2], THIRD, MENTOR),
    *(details_received(participant=who) for who in (ECT, MENTOR)),
    *(validated(participant=who) for who in (ECT, MENTOR)),
    *(eligible(participant=who) for who in (ECT, MENTOR)),
    eligible("ineligible", "previous_participation", MENTOR),
    eligible("manual_check", "no_qts"),
    *(requested(state) for state in ("submitted", "delivered", "failed")),
    *(change(record) for change in (deferred, resumed, withdrawn) for record in RECORDS),
    completed(DAYS[3]),
    *(mentor_assigned(mentor, record=record) for mentor in (None, MENTOR) for record in RECORDS),
    *(
        reported(SOUTH_AT_HILL, partner, pending=pending)
        for partner in (NORTH, SOUTH)
        for pending in (True, False)
    ),
    *(
        change(which)
        for change in (challenged, unchallenged, confirmed)
        for which in (NORTH_AT_HILL, SOUTH_AT_HILL)
    ),
    events.ParticipantDetailsChanged(participant_id=ECT, full_name="Zoë Smith", email="zoe@example.org"),
    removed(),
]
USUAL_START: list[Any] = [
    reported(),
    registered(),
    registered(MENTOR),
    opened(),
    opened(THIRD, MENTOR),
    validated(),
    validated(participant=MENTOR),
    eligible(participant=MENTOR),
]


@st.composite
def stories(draw: st.DrawFn) -> tuple[Given, date]:
    """Events hours or weeks apart, never within a minute of a midnight; and a day on which to look."""
    start = draw(st.sampled_from([0, 4, len(USUAL_START)]))
    told = [*USUAL_START[:start], *draw(st.lists(st.sampled_from(ANYTHING), min_size=2, max_size=14))]
    moment = datetime(2024, 6, 1, 9, 30, tzinfo=UTC)
    received: list[Received[Any]] = []
    for number, event in enumerate(told, 1):
        moment += timedelta(hours=draw(st.sampled_from([1, 30, 200, 700])))
        received.append(Received(f"event-{number}", moment, number, moment, event))
    today = london_day(moment) + timedelta(days=draw(st.integers(0, 200)))
    return Given(tuple(received)), today


def rows_of(story: Given, today: date) -> Rows:
    return {who: story.rows(today.isoformat(), who) for who in (ECT, MENTOR)}


def without_receipt(rows: Rows) -> Rows:
    return {
        who: {
            viewer: replace(row, history=tuple(replace(change, received_at=None) for change in row.history))
            for viewer, row in shown.items()
        }
        for who, shown in rows.items()
    }


@for_all(stories(), st.randoms(use_true_random=False))
@settings(max_examples=150)
def test_any_order_of_arrival_gives_the_same_rows(
    story_and_day: tuple[Given, date], chance: random.Random
) -> None:
    story, today = story_and_day
    arrivals = list(story.received)
    chance.shuffle(arrivals)
    late = datetime(2026, 1, 1, tzinfo=UTC)
    arrived = Given(
        tuple(
            replace(received, received_at=late + timedelta(minutes=number))
            for number, received in enumerate(arrivals)
        )
    )
    assert without_receipt(rows_of(arrived, today)) == without_receipt(rows_of(story, today))


@for_all(stories())
@settings(max_examples=150)
def test_the_history_tells_for_each_moment_what_was_shown_then(story_and_day: tuple[Given, date]) -> None:
    story, today = story_and_day
    in_the_end = rows_of(story, today)
    if any(isinstance(received.event, events.ParticipantRemoved) for received in story.received):
        assert in_the_end[ECT] == {}
    for known in range(1, len(story.received) + 1):
        moment = story.received[known - 1].time
        then = rows_of(Given(story.received[:known]), london_day(moment))
        for who, shown in in_the_end.items():
            for viewer, row in shown.items():
                told = [change.state for change in row.history if change.since <= moment]
                seen = then[who].get(viewer)
                assert (told[-1] if told else None) == (seen.state if seen else None)


@for_all(stories())
@settings(max_examples=150)
def test_a_row_agrees_with_the_last_entry_of_its_history_and_entries_differ(
    story_and_day: tuple[Given, date],
) -> None:
    story, today = story_and_day
    for shown in rows_of(story, today).values():
        for row in shown.values():
            assert (row.history[-1].status, row.history[-1].state) == (row.status, row.state)
            assert row.history[0].state is not None
            for earlier, later in zip(row.history, row.history[1:], strict=False):
                assert earlier.since < later.since
                assert earlier.state is not later.state


@for_all(stories())
@settings(max_examples=100, deadline=None)
def test_a_row_changes_by_itself_on_the_day_it_is_due_and_not_before(
    story_and_day: tuple[Given, date],
) -> None:
    story, today = story_and_day
    for who, shown in rows_of(story, today).items():
        for viewer, row in shown.items():
            due = row.next_due or date(2027, 1, 1)
            day_before = story.rows((due - timedelta(days=1)).isoformat(), who)[viewer]
            assert replace(day_before, history=row.history) == row
            assert day_before.history == row.history
            if row.next_due:
                assert story.rows(due.isoformat(), who)[viewer].state is not row.state

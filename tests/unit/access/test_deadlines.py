"""Working days of England and Wales, and the moments at which something is due."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.access.bank_holidays import is_bank_holiday
from services.access.domain.deadlines import (
    Deadline,
    Due,
    due_moments,
    working_days_earlier,
    working_days_later,
)


@pytest.mark.parametrize(
    ("day", "count", "expected"),
    [
        (date(2026, 11, 25), 1, date(2026, 11, 26)),
        (date(2026, 11, 27), 1, date(2026, 11, 30)),  # over a weekend
        (date(2026, 12, 24), 1, date(2026, 12, 29)),  # Christmas; Boxing Day, a Saturday, is made up for
        (date(2026, 4, 2), 1, date(2026, 4, 7)),  # Good Friday and Easter Monday
        (date(2026, 3, 16), 1, date(2026, 3, 17)),  # St Patrick's is Northern Ireland's alone
        (date(2022, 9, 16), 1, date(2022, 9, 20)),  # the State Funeral, announced for once
        (date(2026, 11, 25), 20, date(2026, 12, 23)),
    ],
)
def test_working_days_leave_out_weekends_and_bank_holidays(day: date, count: int, expected: date) -> None:
    assert working_days_later(day, count, is_bank_holiday) == expected


@given(st.dates(date(2020, 1, 1), date(2040, 1, 1)), st.integers(1, 40))
def test_the_day_is_a_working_day_and_so_many_lie_between(day: date, count: int) -> None:
    later = working_days_later(day, count, is_bank_holiday)
    assert later.weekday() < 5
    assert not is_bank_holiday(later)
    first = working_days_later(day, 1, is_bank_holiday)
    assert working_days_later(first, count - 1, is_bank_holiday) == later
    assert working_days_later(day, count - 1, is_bank_holiday) < later
    back = working_days_earlier(later, count, is_bank_holiday)
    assert back <= day
    assert working_days_later(back, count, is_bank_holiday) == later


def test_deadlines_are_at_nine_in_london_in_summer_and_winter() -> None:
    deadline = Deadline(remind_after=1, expire_after=None)
    for since, nine in (
        (datetime(2026, 7, 1, 23, 30, tzinfo=UTC), datetime(2026, 7, 3, 8, tzinfo=UTC)),  # the 2nd in London
        (datetime(2026, 12, 1, 23, 30, tzinfo=UTC), datetime(2026, 12, 2, 9, tzinfo=UTC)),
    ):
        assert due_moments(deadline, since, is_bank_holiday) == {Due.REMINDER: nine}

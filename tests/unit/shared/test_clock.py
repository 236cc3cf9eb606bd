"""A day in England begins at midnight on its clocks, in summer an hour before UTC's."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from shared.clock import london_day, system_clock


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        # Winter: London is UTC.
        (datetime(2026, 1, 15, 23, 59, 59, tzinfo=UTC), date(2026, 1, 15)),
        (datetime(2026, 1, 16, 0, 0, tzinfo=UTC), date(2026, 1, 16)),
        # The last day before summer time begins (29 March 2026, 01:00 UTC), and its first days.
        (datetime(2026, 3, 28, 23, 30, tzinfo=UTC), date(2026, 3, 28)),
        (datetime(2026, 3, 29, 0, 30, tzinfo=UTC), date(2026, 3, 29)),
        (datetime(2026, 3, 29, 22, 59, 59, tzinfo=UTC), date(2026, 3, 29)),
        (datetime(2026, 3, 29, 23, 0, tzinfo=UTC), date(2026, 3, 30)),
        # Summer: the day begins at 23:00 UTC.
        (datetime(2026, 8, 31, 22, 59, tzinfo=UTC), date(2026, 8, 31)),
        (datetime(2026, 8, 31, 23, 0, tzinfo=UTC), date(2026, 9, 1)),
        # The day on which summer time ends (25 October 2026, 01:00 UTC) has 25 hours.
        (datetime(2026, 10, 24, 23, 0, tzinfo=UTC), date(2026, 10, 25)),
        (datetime(2026, 10, 25, 23, 59, tzinfo=UTC), date(2026, 10, 25)),
        (datetime(2026, 10, 26, 0, 0, tzinfo=UTC), date(2026, 10, 26)),
    ],
)
def test_the_day_in_london(moment: datetime, day: date) -> None:
    assert london_day(moment) == day


def test_the_moment_counts_and_not_the_zone_it_is_written_in() -> None:
    moment = datetime(2026, 7, 1, 4, 30, tzinfo=timezone(timedelta(hours=5, minutes=30)))
    assert moment.astimezone(UTC) == datetime(2026, 6, 30, 23, 0, tzinfo=UTC)
    assert london_day(moment) == date(2026, 7, 1)
    assert london_day(moment - timedelta(seconds=1)) == date(2026, 6, 30)


def test_the_system_clock_says_utc() -> None:
    assert system_clock().utcoffset() == timedelta(0)
    assert abs(system_clock() - datetime.now(UTC)) < timedelta(seconds=5)

"""Days in England. A day begins at local midnight, summer time included."""

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

LONDON = ZoneInfo("Europe/London")
_DAY = timedelta(days=1)
_TICK = timedelta(microseconds=1)


def london_day(moment: datetime) -> date:
    """Return the calendar day of an aware moment in England."""
    return moment.astimezone(LONDON).date()


@lru_cache(maxsize=20_000)
def midnight(day: date) -> datetime:
    """Return the moment, UTC, at which a day begins in England."""
    return datetime(day.year, day.month, day.day, tzinfo=LONDON).astimezone(UTC)


def end_of(day: date) -> datetime:
    """Return the last moment, UTC, of a day in England."""
    return midnight(day + _DAY) - _TICK


def day_after(day: date) -> date:
    return day + _DAY

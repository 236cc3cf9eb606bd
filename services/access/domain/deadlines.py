"""How long a request may wait, in working days of England and Wales."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Final

from services.access.domain.request import RequestState
from shared.clock import LONDON

AT_NINE: Final = time(9)
SATURDAY: Final = 5

IsHoliday = Callable[[date], bool]


class Due(StrEnum):
    REMINDER = "reminder"
    EXPIRY = "expiry"


@dataclass(frozen=True, slots=True)
class Deadline:
    """After so many working days; None: never."""

    remind_after: int | None
    expire_after: int | None


Deadlines = Mapping[RequestState, Deadline]


def working_days_later(day: date, count: int, is_holiday: IsHoliday) -> date:
    """The count-th working day after a day, which itself does not count."""
    while count > 0:
        day += timedelta(days=1)
        if day.weekday() < SATURDAY and not is_holiday(day):
            count -= 1
    return day


def working_days_earlier(day: date, count: int, is_holiday: IsHoliday) -> date:
    """The count-th working day before a day, which itself does not count."""
    while count > 0:
        day -= timedelta(days=1)
        if day.weekday() < SATURDAY and not is_holiday(day):
            count -= 1
    return day


def due_moments(deadline: Deadline, since: datetime, is_holiday: IsHoliday) -> dict[Due, datetime]:
    """When what waits since then is reminded of, and expires: at nine in the morning in London (in UTC)."""
    after = {Due.REMINDER: deadline.remind_after, Due.EXPIRY: deadline.expire_after}
    since_day = since.astimezone(LONDON).date()
    return {
        due: nine_of(working_days_later(since_day, days, is_holiday))
        for due, days in after.items()
        if days is not None
    }


def nine_of(day: date) -> datetime:
    """Nine in the morning in London, in UTC."""
    return datetime.combine(day, AT_NINE, LONDON).astimezone(UTC)

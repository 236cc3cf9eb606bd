"""The one clock. Composition roots hand it down; nothing else asks the system what time it is."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

Clock = Callable[[], datetime]
"""Returns the present moment, UTC."""

LONDON = ZoneInfo("Europe/London")


def system_clock() -> datetime:
    return datetime.now(UTC)


def london_day(moment: datetime) -> date:
    """The calendar day of a moment in England, where a day begins at local midnight."""
    return moment.astimezone(LONDON).date()

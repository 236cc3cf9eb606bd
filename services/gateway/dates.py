"""Dates and times as GOV.UK writes them, in the time of England."""

from datetime import date, datetime

from shared.clock import LONDON


def day(when: date | datetime) -> str:
    """5 July 2024."""
    local = when.astimezone(LONDON) if isinstance(when, datetime) else when
    return f"{local.day} {local:%B %Y}"


def moment(when: datetime) -> str:
    """5 July 2024 at 3:07pm."""
    return f"{day(when)} at {clock_time(when)}"


def clock_time(when: datetime) -> str:
    """3:07pm."""
    local = when.astimezone(LONDON)
    return f"{local.hour % 12 or 12}:{local:%M}{'am' if local.hour < 12 else 'pm'}"


def academic_year(start: int) -> str:
    """2024 to 2025."""
    return f"{start} to {start + 1}"


def since(value: str) -> str:
    """The filter `changed_since`: since 5 July 2024, or at a time of it; other values as they are."""
    try:
        when = date.fromisoformat(value) if "T" not in value else datetime.fromisoformat(value)
    except ValueError:
        return value
    return f"since {moment(when) if isinstance(when, datetime) else day(when)}"

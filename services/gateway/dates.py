"""Dates and times as GOV.UK writes them, in the time of England."""

from collections.abc import Callable
from datetime import date, datetime
from functools import lru_cache, wraps
from typing import Final, ParamSpec

from services.gateway.language import gettext, present_language
from shared.clock import LONDON

P = ParamSpec("P")

KEPT: Final = 10_000
"""Days have few values, and a list says one or two in each row."""


def _kept(make: Callable[P, str]) -> Callable[P, str]:
    """Made once for each language and day."""

    in_language: Callable[..., str] = lru_cache(KEPT)(lambda _, *args, **kwargs: make(*args, **kwargs))

    @wraps(make)
    def found(*args: P.args, **kwargs: P.kwargs) -> str:
        return in_language(present_language().tag, *args, **kwargs)

    return found


def day(when: date | datetime) -> str:
    """5 July 2024."""
    return _day(_local(when))


def _local(when: date | datetime) -> date:
    return when.astimezone(LONDON).date() if isinstance(when, datetime) else when


@_kept
def _day(when: date) -> str:
    return f"{when.day} {when:%B %Y}"


def short_day(when: date) -> str:
    """5 Jul."""
    return f"{when.day} {when:%b}"


def moment(when: datetime) -> str:
    """5 July 2024 at 3:07pm."""
    return gettext("%(day)s at %(time)s", day=day(when), time=clock_time(when))


def clock_time(when: datetime) -> str:
    """3:07pm."""
    local = when.astimezone(LONDON)
    return f"{local.hour % 12 or 12}:{local:%M}{'am' if local.hour < 12 else 'pm'}"


@_kept
def academic_year(start: int) -> str:
    """2024 to 2025."""
    return gettext("%(start)s to %(end)s", start=start, end=start + 1)


def since(value: str) -> str:
    """The filter `changed_since`: since 5 July 2024, or at a time of it; other values as they are."""
    try:
        when = date.fromisoformat(value) if "T" not in value else datetime.fromisoformat(value)
    except ValueError:
        return value
    return gettext("since %(moment)s", moment=moment(when) if isinstance(when, datetime) else day(when))


def since_when(status_since: datetime, completed_on: date | None) -> str:
    """How long somebody has a status, and when they completed induction."""
    return _since_when(_local(status_since), completed_on)


@_kept
def _since_when(status_since: date, completed_on: date | None) -> str:
    if completed_on is None:
        return gettext("since %(day)s", day=_day(status_since))
    return gettext(
        "since %(day)s, completed on %(completed)s", day=_day(status_since), completed=_day(completed_on)
    )


def number(value: int) -> str:
    """12,345."""
    return f"{value:,}"

"""Dates, times and numbers as GOV.UK writes them, in the time of England and the language of the page."""

from collections.abc import Callable
from datetime import date, datetime, time
from functools import lru_cache, wraps
from typing import Final, ParamSpec

from babel.dates import format_date, format_time
from babel.numbers import format_decimal

from services.gateway.language import gettext, present_language
from shared.clock import LONDON

P = ParamSpec("P")

KEPT: Final = 10_000
"""A list says a day or two in each row, of which there are few, and formatting takes longer than the row."""


def _kept(make: Callable[P, str]) -> Callable[P, str]:
    """Made once for each language and value."""

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
    return format_date(when, "d MMMM y", locale=present_language().formats)


@_kept
def short_day(when: date) -> str:
    """5 Jul."""
    said = format_date(when, "d MMM", locale=present_language().formats)
    return said.replace("Sept", "Sep")  # GOV.UK shortens each month to three letters, CLDR all but this one


def moment(when: datetime) -> str:
    """5 July 2024 at 3:07pm."""
    return gettext("%(day)s at %(time)s", day=day(when), time=clock_time(when))


def clock_time(when: datetime) -> str:
    """3:07pm."""
    local = when.astimezone(LONDON)
    return _clock_time(time(local.hour, local.minute))


@_kept
def _clock_time(when: time) -> str:
    return format_time(when, "h:mma", locale=present_language().formats)


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


@_kept
def number(value: float) -> str:
    """12,345, and one digit after the point at most."""
    return format_decimal(value, "#,##0.#", locale=present_language().formats)

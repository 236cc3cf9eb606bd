"""The warning that a session is about to end: a part of each page, shown by a stylesheet when it is time.

A stylesheet works without JavaScript, and reloads nothing: what is half typed in a form stays. It is one of a
few, the same for everybody, since the CSP allows no style in the page.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

WARN_BEFORE: Final = timedelta(minutes=2)
LONGEST_MINUTES: Final = 24 * 60


@dataclass(frozen=True, slots=True)
class SessionWarning:
    """after_minutes: from the loading of the page. may_go_on: whether using the service defers the end."""

    after_minutes: int
    ends_at: datetime
    may_go_on: bool


def session_warning(idle_until: datetime, absolute_until: datetime, now: datetime) -> SessionWarning:
    """Whichever end comes first; at least two minutes before it, but for sessions as short as that."""
    ends_at = min(idle_until, absolute_until)
    minutes = int((ends_at - WARN_BEFORE - now).total_seconds() // 60)
    return SessionWarning(min(max(minutes, 0), LONGEST_MINUTES), ends_at, idle_until < absolute_until)


def warning_stylesheet(after_minutes: int) -> str:
    return f".app-ends {{ animation: app-ends-appears 0s linear {after_minutes * 60}s forwards; }}\n"

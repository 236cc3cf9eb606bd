"""Access that ended a moment ago: tokens that were given out for it before are refused at once.

A token lives about a minute, and a suspension is to take effect within a second, in every service. Kept in
memory, told by the bus; while Redis is away, a token lives its minute.
"""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Final, NamedTuple
from uuid import UUID

from shared.contracts import access
from shared.contracts.envelope import CloudEvent
from shared.contracts.roles import Role
from shared.web.caller import PersonCaller

KEPT: Final = timedelta(minutes=2)
"""Longer than any token lives, the difference of two clocks included."""


class _Access(NamedTuple):
    person_id: UUID
    role: Role
    organisation_id: UUID | None


class Withdrawals:
    """now: seconds on a clock that never goes back."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._until: dict[_Access, float] = {}

    def hear(self, event: CloudEvent) -> None:
        """Learn from what access publishes. Raises what its contract raises."""
        if event.type not in access.CATALOGUE:
            return
        match access.CATALOGUE.read(event):
            case access.GrantEnded() | access.GrantSuspended() as told:
                self._forget_old()
                self._until[_access_of(told)] = self._now() + KEPT.total_seconds()
            case access.GrantGiven() | access.GrantRestored() as told:
                self._until.pop(_access_of(told), None)
            case _:
                pass

    def cover(self, caller: PersonCaller) -> bool:
        """Whether the access that the caller acts by has ended of late."""
        until = self._until.get(_Access(caller.person_id, caller.role, caller.organisation_id))
        return until is not None and self._now() < until

    def _forget_old(self) -> None:
        now = self._now()
        self._until = {of: until for of, until in self._until.items() if now < until}


def _access_of(
    told: access.GrantEnded | access.GrantSuspended | access.GrantGiven | access.GrantRestored,
) -> _Access:
    return _Access(told.person_id, told.role, told.organisation_id)

"""Access and sessions that ended a moment ago: tokens given out for them before are refused at once.

A token lives about a minute, and a suspension, or the end of a session, is to take effect within a second, in
every service. Kept in memory, told by the bus; while Redis is away, a token lives its minute.
"""

import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Final, NamedTuple
from uuid import UUID

from shared.contracts import access, auth
from shared.contracts.envelope import Catalogue, CloudEvent
from shared.contracts.roles import Role
from shared.web.caller import PersonCaller

KEPT: Final = timedelta(minutes=2)
"""Longer than any token lives, the difference of two clocks included."""
TOLD_BY: Final[Mapping[str, Catalogue]] = {"access": access.CATALOGUE, "auth": auth.CATALOGUE}
"""Publishers to be listened to."""


class _Access(NamedTuple):
    person_id: UUID
    role: Role
    organisation_id: UUID | None


class _Session(NamedTuple):
    session_id: UUID


class Withdrawals:
    """now: seconds on a clock that never goes back."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._until: dict[_Access | _Session, float] = {}

    def hear(self, event: CloudEvent) -> None:
        """Learn from what access and auth publish. Raises what their contracts raise."""
        catalogue = next((known for known in TOLD_BY.values() if event.type in known), None)
        if catalogue is None:
            return
        match catalogue.read(event):
            case access.GrantEnded() | access.GrantSuspended() as told:
                self._withdraw(_access_of(told))
            case access.GrantGiven() | access.GrantRestored() as told:
                self._until.pop(_access_of(told), None)
            case auth.SessionEnded() as told:
                self._withdraw(_Session(told.session_id))
            case _:
                pass

    def cover(self, caller: PersonCaller) -> bool:
        """Whether the access that the caller acts by, or the session, has ended of late."""
        by: list[_Access | _Session] = [_Access(caller.person_id, caller.role, caller.organisation_id)]
        if caller.session_id is not None:
            by.append(_Session(caller.session_id))
        return any(self._now() < self._until.get(one, float("-inf")) for one in by)

    def _withdraw(self, what: _Access | _Session) -> None:
        now = self._now()
        self._until.pop(what, None)  # so that they stand in the order in which they are forgotten
        self._until[what] = now + KEPT.total_seconds()
        while self._until[first := next(iter(self._until))] <= now:
            del self._until[first]


def _access_of(
    told: access.GrantEnded | access.GrantSuspended | access.GrantGiven | access.GrantRestored,
) -> _Access:
    return _Access(told.person_id, told.role, told.organisation_id)

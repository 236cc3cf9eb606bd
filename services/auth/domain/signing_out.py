"""Staff sign somebody out everywhere. The access stays: who has it signs in again by a new link."""

from dataclasses import dataclass
from datetime import datetime

from services.auth.domain.events import PersonId, SignedOutByStaff


class NotSignedIn(Exception):
    """There is no session to end."""


class ForAdministrators(Exception):
    """The person is of staff, whom only an administrator signs out."""


@dataclass(frozen=True, slots=True)
class SignOut:
    """as_administrator: in which role `by` acts; else as support."""

    person_id: PersonId
    by: PersonId
    as_administrator: bool
    at: datetime


@dataclass(frozen=True, slots=True)
class SignedIn:
    """How somebody is signed in at the moment. is_staff: holds a role of staff, whichever is chosen."""

    sessions: int
    is_staff: bool


def decide(command: SignOut, person: SignedIn) -> list[SignedOutByStaff]:
    if person.is_staff and not command.as_administrator:
        raise ForAdministrators
    if not person.sessions:
        raise NotSignedIn
    return [SignedOutByStaff(command.person_id, command.by, command.at)]

"""What happens in auth. IDs only: names and addresses are kept elsewhere, links and session IDs nowhere."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType
from uuid import UUID

LinkId = NewType("LinkId", UUID)
SessionId = NewType("SessionId", UUID)
"""A session's name in the records. What the browser holds is another, random value."""
PersonId = NewType("PersonId", UUID)
GrantId = NewType("GrantId", UUID)


class Purpose(StrEnum):
    SIGN_IN = "sign_in"
    CONFIRMATION = "confirmation"
    """Sent by a lead provider's request for confirmation; lives longer."""


class EndReason(StrEnum):
    SIGNED_OUT = "signed_out"
    SIGNED_OUT_ELSEWHERE = "signed_out_elsewhere"
    """By the same person, from another session."""
    SIGNED_OUT_BY_STAFF = "signed_out_by_staff"
    EXPIRED = "expired"
    GRANT_ENDED = "grant_ended"
    WRONG_CODES = "wrong_codes"
    SECOND_FACTOR_RESET = "second_factor_reset"


@dataclass(frozen=True, slots=True)
class LinkIssued:
    link_id: LinkId
    person_id: PersonId
    purpose: Purpose
    expires_at: datetime
    return_to: str | None


@dataclass(frozen=True, slots=True)
class LinkSuperseded:
    """A newer link of the same purpose was issued to the same person."""

    link_id: LinkId
    by: LinkId


@dataclass(frozen=True, slots=True)
class LinkRedeemed:
    link_id: LinkId
    session_id: SessionId
    at: datetime


@dataclass(frozen=True, slots=True)
class SessionStarted:
    session_id: SessionId
    person_id: PersonId
    link_id: LinkId
    at: datetime


@dataclass(frozen=True, slots=True)
class RoleChosen:
    session_id: SessionId
    person_id: PersonId
    grant_id: GrantId
    role: str
    organisation_id: UUID | None
    at: datetime


@dataclass(frozen=True, slots=True)
class SessionEnded:
    session_id: SessionId
    person_id: PersonId
    reason: EndReason
    at: datetime


@dataclass(frozen=True, slots=True)
class SignedOutByStaff:
    """Everywhere: each session that the person had tells its end itself."""

    person_id: PersonId
    by: PersonId
    at: datetime


@dataclass(frozen=True, slots=True)
class SessionConfirmed:
    """The person proved a second time that it is them."""

    session_id: SessionId
    person_id: PersonId
    at: datetime


@dataclass(frozen=True, slots=True)
class SecondFactorEnrolled:
    person_id: PersonId
    at: datetime


@dataclass(frozen=True, slots=True)
class SecondFactorReset:
    person_id: PersonId
    by: PersonId
    at: datetime


LinkEvent = LinkIssued | LinkSuperseded | LinkRedeemed
SessionEvent = SessionStarted | SessionConfirmed | RoleChosen | SessionEnded
SecondFactorEvent = SecondFactorEnrolled | SecondFactorReset
Event = LinkEvent | SessionEvent | SecondFactorEvent | SignedOutByStaff

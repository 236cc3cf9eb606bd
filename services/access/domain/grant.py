"""A grant: one person, one role, one organisation. Given once, ended once."""

import calendar
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final

from services.access.domain.events import EndReason, Event, GrantEnded, GrantGiven
from services.access.domain.refusals import (
    AlreadyEnded,
    AlreadyGranted,
    NothingThere,
    NotYourStep,
    OnlyAdministrators,
)
from services.access.domain.vocabulary import (
    Actor,
    AgreementId,
    GrantId,
    OrganisationId,
    PersonId,
    RequestId,
    Role,
)

REVIEW_AFTER_MONTHS: Final = 12


@dataclass(frozen=True, slots=True)
class Grant:
    grant_id: GrantId
    person_id: PersonId
    role: Role
    organisation_id: OrganisationId | None
    ended: bool = False


@dataclass(frozen=True, slots=True)
class GiveGrant:
    """request_id, by: None for what is given at installation. today: the day from which it is reviewed."""

    grant_id: GrantId
    person_id: PersonId
    role: Role
    organisation_id: OrganisationId | None
    request_id: RequestId | None
    agreements: tuple[AgreementId, ...]
    by: PersonId | None
    at: datetime
    today: date


@dataclass(frozen=True, slots=True)
class RevokeGrant:
    by: Actor
    at: datetime
    words: str


@dataclass(frozen=True, slots=True)
class EndWithAgreement:
    """The last agreement that covered the delivery partner is over. Does nothing to an ended grant."""

    at: datetime


Command = GiveGrant | RevokeGrant | EndWithAgreement


def decide(command: Command, grant: Grant | None) -> Sequence[Event]:
    """Raises a Refused."""
    if isinstance(command, GiveGrant):
        if grant is not None:
            raise AlreadyGranted
        return [_given(command)]
    if grant is None:
        raise NothingThere
    match command:
        case RevokeGrant(by, at, words):
            if by.role not in (Role.SUPPORT, Role.ADMINISTRATOR):
                raise NotYourStep
            if grant.role.is_staff and by.role is not Role.ADMINISTRATOR:
                raise OnlyAdministrators
            if grant.ended:
                raise AlreadyEnded
            return [_ended(grant, EndReason.REVOKED, words, by.person_id, at)]
        case EndWithAgreement(at):
            return [] if grant.ended else [_ended(grant, EndReason.AGREEMENT_ENDED, None, None, at)]


def _given(command: GiveGrant) -> GrantGiven:
    # Staff and lead provider contacts are looked after by staff; what organisations hold is reviewed.
    reviewed = command.role in (Role.DELIVERY_PARTNER, Role.APPROPRIATE_BODY)
    return GrantGiven(
        grant_id=command.grant_id,
        person_id=command.person_id,
        role=command.role,
        organisation_id=command.organisation_id,
        request_id=command.request_id,
        agreements=command.agreements,
        by=command.by,
        at=command.at,
        review_on=months_later(command.today, REVIEW_AFTER_MONTHS) if reviewed else None,
    )


def _ended(
    grant: Grant, reason: EndReason, words: str | None, by: PersonId | None, at: datetime
) -> GrantEnded:
    return GrantEnded(
        grant.grant_id, grant.person_id, grant.role, grant.organisation_id, reason, words, by, at
    )


def evolve(grant: Grant | None, event: Event) -> Grant | None:
    """Raises ValueError for an event that cannot be in this place of a grant's stream: a bug."""
    match event, grant:
        case GrantGiven(), None:
            return Grant(event.grant_id, event.person_id, event.role, event.organisation_id)
        case GrantEnded(), Grant():
            return replace(grant, ended=True)
    raise ValueError(f"{type(event).__name__} cannot follow in a grant's stream")


def months_later(day: date, months: int) -> date:
    """The same day of a later month, or that month's last day."""
    years, month = divmod(day.month - 1 + months, 12)
    year = day.year + years
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))

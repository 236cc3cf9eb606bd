"""A grant: one person, one role, one organisation. Given once, ended once; suspended and restored between."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from services.access.domain.coverage import Coverage
from services.access.domain.events import (
    EndReason,
    Event,
    GrantEnded,
    GrantGiven,
    GrantRestored,
    GrantSuspended,
    ReviewAsked,
    ReviewConfirmed,
    SuspendReason,
)
from services.access.domain.grant_review import ReviewCommand, decide_review
from services.access.domain.grant_state import Grant, review_day
from services.access.domain.refusals import (
    AlreadyEnded,
    AlreadyGranted,
    FourEyes,
    NotCovered,
    NothingThere,
    NotSuspended,
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
class MarkLeaver:
    """The person has left the organisation, say its other users."""

    by: Actor
    at: datetime
    words: str


@dataclass(frozen=True, slots=True)
class Suspend:
    """Does nothing to a grant that is suspended or has ended."""

    reason: SuspendReason
    at: datetime


@dataclass(frozen=True, slots=True)
class RestoreGrant:
    """check: the register today."""

    by: Actor
    at: datetime
    words: str
    check: Coverage
    today: date


Command = GiveGrant | RevokeGrant | MarkLeaver | Suspend | RestoreGrant | ReviewCommand


def decide(command: Command, grant: Grant | None) -> Sequence[Event]:
    """Raises a Refused."""
    if isinstance(command, GiveGrant):
        if grant is not None:
            raise AlreadyGranted
        return [_given(command)]
    if grant is None:
        raise NothingThere
    if isinstance(command, ReviewCommand):
        return decide_review(command, grant)
    match command:
        case RevokeGrant(by, at, words):
            if by.role not in (Role.SUPPORT, Role.ADMINISTRATOR):
                raise NotYourStep
            if grant.role.is_staff and by.role is not Role.ADMINISTRATOR:
                raise OnlyAdministrators
            return [_ended(grant, EndReason.REVOKED, words, by.person_id, at)]
        case MarkLeaver(by, at, words):
            if (by.role, by.organisation_id) != (grant.role, grant.organisation_id) or by.role.is_staff:
                raise NothingThere
            return [_ended(grant, EndReason.LEFT, words, by.person_id, at)]
        case Suspend(reason, at):
            if grant.ended or grant.suspended is not None:
                return []
            who = (grant.grant_id, grant.person_id, grant.role, grant.organisation_id)
            return [GrantSuspended(*who, reason, at)]
        case RestoreGrant():
            return [_restored(command, grant)]


def _restored(command: RestoreGrant, grant: Grant) -> GrantRestored:
    if command.by.role is not Role.POLICY:
        raise NotYourStep
    if command.by.person_id == grant.person_id:
        raise FourEyes
    if grant.ended or grant.suspended is None:
        raise NotSuspended
    if not command.check.covered:
        raise NotCovered
    return GrantRestored(
        grant.grant_id,
        grant.person_id,
        grant.role,
        grant.organisation_id,
        tuple(cover.agreement_id for cover in command.check.covers),
        command.words,
        command.by.person_id,
        command.at,
        review_day(grant.role, command.today),
    )


def _given(command: GiveGrant) -> GrantGiven:
    return GrantGiven(
        grant_id=command.grant_id,
        person_id=command.person_id,
        role=command.role,
        organisation_id=command.organisation_id,
        request_id=command.request_id,
        agreements=command.agreements,
        by=command.by,
        at=command.at,
        review_on=review_day(command.role, command.today),
    )


def _ended(
    grant: Grant, reason: EndReason, words: str | None, by: PersonId | None, at: datetime
) -> GrantEnded:
    if grant.ended:
        raise AlreadyEnded
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
        case GrantSuspended(), Grant():
            return replace(grant, suspended=event.reason, in_review=None)
        case ReviewAsked(), Grant():
            return replace(grant, in_review=event.campaign_id)
        case ReviewConfirmed(), Grant():
            return replace(grant, in_review=None)
        case GrantRestored(), Grant():
            return replace(grant, suspended=None)
    raise ValueError(f"{type(event).__name__} cannot follow in a grant's stream")

"""What may be asked of a request, what follows from it, and how that changes where the request stands."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypedDict

from services.access.domain.coverage import Coverage
from services.access.domain.events import (
    ByPerson,
    DeclineKind,
    Event,
    InformationGiven,
    LeadProviderAsked,
    PolicyCheckPassed,
    RequestDeclined,
    RequestExpired,
    RequestGranted,
    RequestReminded,
    RequestReturned,
    RequestSubmitted,
    RequestWithdrawn,
    Step,
    TriagePassed,
    UserConfirmed,
)
from services.access.domain.refusals import (
    AlreadyGranted,
    AlreadyRequested,
    LeadProviderNeeded,
    NoContacts,
    NoLongerCovered,
    NothingThere,
    NotRequestable,
    NotReturnable,
    NotYourOrganisation,
    NotYourStep,
    Suspended,
    WrongKind,
)
from services.access.domain.request.state import STATE_OF_STEP, AccessRequest, RequestState
from services.access.domain.vocabulary import (
    REQUESTABLE,
    Actor,
    GrantId,
    OrganisationId,
    OrganisationKind,
    PersonId,
    RequestId,
    Role,
)


@dataclass(frozen=True, slots=True)
class SubmitRequest:
    """kind: of the organisation. requested, granted, suspended: whether the same is open, held, or held and
    suspended already.
    """

    request_id: RequestId
    person_id: PersonId
    role: Role
    organisation_id: OrganisationId
    kind: OrganisationKind
    requested: bool
    granted: bool
    suspended: bool
    by: Actor
    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class PassTriage:
    by: Actor
    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class PassPolicyCheck:
    """check: the register today. contacts: of lead_provider_id. grant_id: for the grant, should it follow."""

    by: Actor
    at: datetime
    reason: str
    check: Coverage
    lead_provider_id: OrganisationId | None
    contacts: tuple[PersonId, ...]
    grant_id: GrantId


@dataclass(frozen=True, slots=True)
class ConfirmUser:
    """check: the register today. grant_id: for the grant that follows."""

    by: Actor
    at: datetime
    reason: str
    check: Coverage
    grant_id: GrantId


@dataclass(frozen=True, slots=True)
class Decline:
    """check: the register today; kept when it is the policy check that declines."""

    step: Step
    by: Actor
    at: datetime
    reason: str
    check: Coverage
    kind: DeclineKind


@dataclass(frozen=True, slots=True)
class ReturnForInformation:
    """reason: what those who asked are to tell."""

    step: Step
    by: Actor
    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class GiveInformation:
    by: Actor
    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Withdraw:
    by: Actor
    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Remind:
    """It is time to remind whoever it waits for since then. Does nothing when it no longer does."""

    since: datetime
    at: datetime


@dataclass(frozen=True, slots=True)
class Expire:
    """It waited too long, since then. Does nothing when it no longer waits since then."""

    since: datetime
    at: datetime


ByHand = (
    PassTriage | PassPolicyCheck | ConfirmUser | Decline | ReturnForInformation | GiveInformation | Withdraw
)
Command = SubmitRequest | ByHand | Remind | Expire


def decide(command: Command, request: AccessRequest | None) -> Sequence[Event]:
    """Raises a Refused."""
    if isinstance(command, SubmitRequest):
        if request is not None:
            raise AlreadyRequested
        return _submit(command)
    if request is None:
        raise NothingThere
    if isinstance(command, Remind | Expire):
        return _time_is_up(command, request)
    return _by_hand(command, request)


def _by_hand(command: ByHand, request: AccessRequest) -> Sequence[Event]:
    signed = _signed(command.by, command.at, command.reason, request.request_id, request.person_id)
    match command:
        case PassTriage(by):
            request.must_allow(Step.TRIAGE, by)
            return [TriagePassed(**signed)]
        case PassPolicyCheck(by):
            request.must_allow(Step.POLICY_CHECK, by)
            return _pass_policy_check(command, request, signed)
        case ConfirmUser(by):
            request.must_allow(Step.CONFIRMATION, by)
            return _confirm(command, request, signed)
        case Decline(step, by):
            request.must_allow(step, by)
            checked = step is Step.POLICY_CHECK
            against_advice = checked and command.check.needed and command.check.covered
            return [
                RequestDeclined(
                    **signed,
                    step=step,
                    check=command.check if checked else None,
                    against_advice=against_advice,
                    kind=command.kind,
                )
            ]
        case ReturnForInformation(step, by):
            request.must_allow(step, by)
            if step is Step.CONFIRMATION:
                raise NotReturnable
            return [RequestReturned(**signed, step=step)]
        case GiveInformation(by):
            request.must_allow_information(by)
            return [InformationGiven(**signed)]
        case Withdraw(by):
            request.must_allow_withdrawal(by)
            return [RequestWithdrawn(**signed)]


def _time_is_up(command: Remind | Expire, request: AccessRequest) -> Sequence[Event]:
    if not request.state.is_open or request.waiting_since != command.since:
        return []
    what = (request.request_id, request.person_id, request.waits_at, command.at)
    if isinstance(command, Expire):
        return [RequestExpired(*what)]
    return [] if request.reminded else [RequestReminded(*what)]


def _submit(command: SubmitRequest) -> Sequence[Event]:
    by = command.by
    if command.role not in REQUESTABLE:
        raise NotRequestable
    if by.role is not Role.SUPPORT:
        if by.role not in REQUESTABLE:
            raise NotYourStep
        if (by.role, by.organisation_id) != (command.role, command.organisation_id):
            raise NotYourOrganisation
    if command.kind.value != command.role.value:
        raise WrongKind
    # Told to those only who may ask: to others it would say who has access.
    if command.suspended:
        raise Suspended
    if command.granted:
        raise AlreadyGranted
    if command.requested:
        raise AlreadyRequested
    signed = _signed(by, command.at, command.reason, command.request_id, command.person_id)
    return [RequestSubmitted(**signed, role=command.role, organisation_id=command.organisation_id)]


def _pass_policy_check(
    command: PassPolicyCheck, request: AccessRequest, signed: "_Signed"
) -> Sequence[Event]:
    asked = command.lead_provider_id
    if not request.needs_lead_provider:
        return [
            PolicyCheckPassed(**signed, check=command.check, lead_provider_id=None, against_advice=False),
            RequestGranted(request.request_id, request.person_id, command.grant_id, command.at),
        ]
    if asked is None:
        raise LeadProviderNeeded
    if not command.contacts:
        raise NoContacts
    return [
        PolicyCheckPassed(
            **signed,
            check=command.check,
            lead_provider_id=asked,
            against_advice=not command.check.by(asked),
        ),
        LeadProviderAsked(request.request_id, request.person_id, asked, command.contacts, command.at),
    ]


def _confirm(command: ConfirmUser, request: AccessRequest, signed: "_Signed") -> Sequence[Event]:
    asked = request.lead_provider_id
    if asked is None:
        raise NothingThere
    if not request.against_advice and not command.check.by(asked):
        raise NoLongerCovered
    return [
        UserConfirmed(**signed, lead_provider_id=asked),
        RequestGranted(request.request_id, request.person_id, command.grant_id, command.at),
    ]


class _Signed(TypedDict):
    request_id: RequestId
    person_id: PersonId
    by: PersonId
    by_role: Role
    at: datetime
    reason: str


def _signed(by: Actor, at: datetime, reason: str, request_id: RequestId, person_id: PersonId) -> _Signed:
    return {
        "request_id": request_id,
        "person_id": person_id,
        "by": by.person_id,
        "by_role": by.role,
        "at": at,
        "reason": reason,
    }


def evolve(request: AccessRequest | None, event: Event) -> AccessRequest | None:
    """Raises ValueError for an event that cannot be in this place of a request's stream: a bug."""
    match event, request:
        case RequestSubmitted(), None:
            return AccessRequest(
                request_id=event.request_id,
                person_id=event.person_id,
                role=event.role,
                organisation_id=event.organisation_id,
                made_by=event.by,
                made_as=event.by_role,
                state=RequestState.SUBMITTED,
                waiting_since=event.at,
            )
        case TriagePassed(), AccessRequest():
            return _decided(request, event, RequestState.POLICY_CHECK)
        case PolicyCheckPassed(), AccessRequest():
            # Without a lead provider to ask, RequestGranted follows in the same append.
            passed = _decided(request, event, RequestState.AWAITING_LEAD_PROVIDER)
            return replace(
                passed, lead_provider_id=event.lead_provider_id, against_advice=event.against_advice
            )
        case UserConfirmed(), AccessRequest():
            return replace(request, decided_by=request.decided_by | {event.by})
        case RequestGranted(), AccessRequest():
            return _moved(request, event.at, RequestState.GRANTED)
        case RequestDeclined(), AccessRequest():
            return _decided(request, event, RequestState.DECLINED)
        case RequestReturned(step=step), AccessRequest():
            # Not a decision: who asked for the information may go on when it is there.
            return replace(_moved(request, event.at, RequestState.RETURNED), returned_from=step)
        case InformationGiven(), AccessRequest(returned_from=Step() as step):
            back = _moved(request, event.at, STATE_OF_STEP[step])
            return replace(back, returned_from=None, informed_by=request.informed_by | {event.by})
        case RequestWithdrawn(), AccessRequest():
            return _moved(request, event.at, RequestState.WITHDRAWN)
        case RequestExpired(), AccessRequest():
            return _moved(request, event.at, RequestState.EXPIRED)
        case RequestReminded(), AccessRequest():
            return replace(request, reminded=True)
        case LeadProviderAsked(), AccessRequest():
            return request
    raise ValueError(f"{type(event).__name__} cannot follow in a request's stream")


def _decided(request: AccessRequest, event: ByPerson, state: RequestState) -> AccessRequest:
    return replace(_moved(request, event.at, state), decided_by=request.decided_by | {event.by})


def _moved(request: AccessRequest, at: datetime, state: RequestState) -> AccessRequest:
    return replace(request, state=state, waiting_since=at, reminded=False)

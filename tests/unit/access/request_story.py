"""The steps of a request as events and commands, with the usual people."""

from collections.abc import Sequence
from datetime import date

from services.access.domain.coverage import Cover, Coverage, not_needed
from services.access.domain.events import (
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
from services.access.domain.request import (
    AccessRequest,
    Command,
    ConfirmUser,
    PassPolicyCheck,
    PassTriage,
    SubmitRequest,
)
from services.access.domain.vocabulary import Actor, OrganisationKind, Role
from services.access.handlers.deciding import REQUEST as DECIDER
from tests.unit.access.cast import (
    AGREEMENT,
    AT,
    BODY,
    COLLEAGUE,
    CONTACT,
    GRANT,
    PARTNER,
    POLICY,
    PROVIDER,
    REQUEST,
    SUPPORT,
    TODAY,
    USER,
)
from tests.unit.access.given import Given, given

COVERED = Coverage(TODAY, True, (Cover(AGREEMENT, PROVIDER, date(2027, 8, 31)),), "Covered.")
UNCOVERED = Coverage(TODAY, True, (), "Not covered.")
NOT_NEEDED = not_needed(TODAY)
WHY = "Because."

SUBMIT = SubmitRequest(
    request_id=REQUEST,
    person_id=COLLEAGUE,
    role=Role.DELIVERY_PARTNER,
    organisation_id=PARTNER,
    kind=OrganisationKind.DELIVERY_PARTNER,
    requested=False,
    granted=False,
    suspended=False,
    by=USER,
    at=AT,
    reason=WHY,
)


def submitted(by: Actor = USER, role: Role = Role.DELIVERY_PARTNER) -> RequestSubmitted:
    return RequestSubmitted(
        request_id=REQUEST,
        person_id=COLLEAGUE,
        by=by.person_id,
        by_role=by.role,
        at=AT,
        reason=WHY,
        role=role,
        organisation_id=PARTNER if role is Role.DELIVERY_PARTNER else BODY,
    )


def triaged(by: Actor = SUPPORT) -> TriagePassed:
    return TriagePassed(
        request_id=REQUEST, person_id=COLLEAGUE, by=by.person_id, by_role=by.role, at=AT, reason=WHY
    )


def checked(by: Actor = POLICY, *, against_advice: bool = False) -> PolicyCheckPassed:
    return PolicyCheckPassed(
        request_id=REQUEST,
        person_id=COLLEAGUE,
        by=by.person_id,
        by_role=by.role,
        at=AT,
        reason=WHY,
        check=UNCOVERED if against_advice else COVERED,
        lead_provider_id=PROVIDER,
        against_advice=against_advice,
    )


def confirmed(by: Actor = CONTACT) -> UserConfirmed:
    return UserConfirmed(
        request_id=REQUEST,
        person_id=COLLEAGUE,
        by=by.person_id,
        by_role=by.role,
        at=AT,
        reason=WHY,
        lead_provider_id=PROVIDER,
    )


def declined(by: Actor, step: Step, check: Coverage | None = None, against: bool = False) -> RequestDeclined:
    return RequestDeclined(
        request_id=REQUEST,
        person_id=COLLEAGUE,
        by=by.person_id,
        by_role=by.role,
        at=AT,
        reason=WHY,
        step=step,
        check=check,
        against_advice=against,
        kind=DeclineKind.OTHER,
    )


def withdrawn(by: Actor = USER) -> RequestWithdrawn:
    return RequestWithdrawn(
        request_id=REQUEST, person_id=COLLEAGUE, by=by.person_id, by_role=by.role, at=AT, reason=WHY
    )


def returned(by: Actor = SUPPORT, step: Step = Step.TRIAGE) -> RequestReturned:
    return RequestReturned(
        request_id=REQUEST,
        person_id=COLLEAGUE,
        by=by.person_id,
        by_role=by.role,
        at=AT,
        reason=WHY,
        step=step,
    )


def informed(by: Actor = USER) -> InformationGiven:
    return InformationGiven(
        request_id=REQUEST, person_id=COLLEAGUE, by=by.person_id, by_role=by.role, at=AT, reason=WHY
    )


def reminded(step: Step | None) -> RequestReminded:
    return RequestReminded(REQUEST, COLLEAGUE, step, AT)


def expired(step: Step | None) -> RequestExpired:
    return RequestExpired(REQUEST, COLLEAGUE, step, AT)


ASKED = LeadProviderAsked(REQUEST, COLLEAGUE, PROVIDER, (CONTACT.person_id,), AT)
GRANTED = RequestGranted(REQUEST, COLLEAGUE, GRANT, AT)


def past(*events: Event) -> Given[Command, AccessRequest | None]:
    return given(DECIDER, *events)


def pass_triage(by: Actor = SUPPORT) -> PassTriage:
    return PassTriage(by, AT, WHY)


def pass_check(by: Actor = POLICY, check: Coverage = COVERED) -> PassPolicyCheck:
    return PassPolicyCheck(by, AT, WHY, check, PROVIDER, (CONTACT.person_id,), GRANT)


def confirm(by: Actor = CONTACT, check: Coverage = COVERED) -> ConfirmUser:
    return ConfirmUser(by, AT, WHY, check, GRANT)


OPEN: Sequence[Sequence[Event]] = (
    [submitted()],
    [submitted(), triaged()],
    [submitted(), triaged(), checked(), ASKED],
)
SENT_BACK: Sequence[Sequence[Event]] = (
    [submitted(), returned()],
    [submitted(), triaged(), returned(POLICY, Step.POLICY_CHECK)],
)
CLOSED: Sequence[Sequence[Event]] = (
    [submitted(), triaged(), checked(), ASKED, confirmed(), GRANTED],
    [submitted(), declined(SUPPORT, Step.TRIAGE)],
    [submitted(), withdrawn()],
    [submitted(), expired(Step.TRIAGE)],
)

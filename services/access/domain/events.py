"""What happened. Only the events of a person's stream say who a person is; the rest holds IDs."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from services.access.domain.coverage import Coverage, Terms
from services.access.domain.vocabulary import (
    AgreementId,
    CampaignId,
    GrantId,
    OrganisationId,
    OrganisationKind,
    PersonId,
    RequestId,
    Role,
)


class Step(StrEnum):
    """The decisions on a request, in order."""

    TRIAGE = "triage"
    POLICY_CHECK = "policy_check"
    CONFIRMATION = "confirmation"


class DeclineKind(StrEnum):
    """Why a request is declined, from the list; the same words as in the contract."""

    NOT_EMPLOYED = "not_employed"
    NO_NEED = "no_need"
    NOT_COVERED = "not_covered"
    NOT_KNOWN = "not_known"
    WRONG_DETAILS = "wrong_details"
    OTHER = "other"


class EndReason(StrEnum):
    REVOKED = "revoked"
    LEFT = "left"
    """The organisation itself says that the person has left."""
    NOT_CONFIRMED = "not_confirmed"
    """In a review, the lead provider says that the person is no valid user."""
    AGREEMENT_ENDED = "agreement_ended"
    """In events of before grants were suspended."""


class SuspendReason(StrEnum):
    AGREEMENT_ENDED = "agreement_ended"
    NOT_REVIEWED = "not_reviewed"


# --- people and organisations ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PersonRegistered:
    """by: None at installation."""

    person_id: PersonId
    full_name: str
    email: str
    by: PersonId | None
    at: datetime


@dataclass(frozen=True, slots=True)
class PersonDetailsChanged:
    person_id: PersonId
    full_name: str
    email: str
    by: PersonId | None
    at: datetime


@dataclass(frozen=True, slots=True)
class NamedInRequest:
    """What those who asked call the person. It changes nothing of what is registered."""

    person_id: PersonId
    request_id: RequestId
    full_name: str
    email: str
    at: datetime


@dataclass(frozen=True, slots=True)
class PersonErased:
    """Who this was is written over, here and in all that follows from it. operator, why: by whom and why."""

    person_id: PersonId
    operator: str
    why: str
    at: datetime


@dataclass(frozen=True, slots=True)
class OrganisationNamed:
    """Manage ECTs told us of an organisation, or of its new name."""

    organisation_id: OrganisationId
    kind: OrganisationKind
    name: str


# --- requests -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class ByPerson:
    """What each step that a person takes says. person_id: whom the request is about."""

    request_id: RequestId
    person_id: PersonId
    by: PersonId
    by_role: Role
    at: datetime
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestSubmitted(ByPerson):
    role: Role
    organisation_id: OrganisationId


@dataclass(frozen=True, slots=True, kw_only=True)
class TriagePassed(ByPerson):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyCheckPassed(ByPerson):
    """check: what the register said when it was decided. lead_provider_id: who is asked, if anybody is."""

    check: Coverage
    lead_provider_id: OrganisationId | None
    against_advice: bool


@dataclass(frozen=True, slots=True)
class LeadProviderAsked:
    """contacts: who could answer for the lead provider at that moment."""

    request_id: RequestId
    person_id: PersonId
    lead_provider_id: OrganisationId
    contacts: tuple[PersonId, ...]
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class UserConfirmed(ByPerson):
    lead_provider_id: OrganisationId


@dataclass(frozen=True, slots=True)
class RequestGranted:
    """Follows from the last decision, in the same transaction as the grant."""

    request_id: RequestId
    person_id: PersonId
    grant_id: GrantId
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestDeclined(ByPerson):
    """check: set when the policy check declined. kind: None in events of before there was a list."""

    step: Step
    check: Coverage | None
    against_advice: bool
    kind: DeclineKind | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestReturned(ByPerson):
    """reason: what those who asked are to tell. step: the one that needs it, and goes on with it."""

    step: Step


@dataclass(frozen=True, slots=True, kw_only=True)
class InformationGiven(ByPerson):
    """reason: the information."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestWithdrawn(ByPerson):
    pass


@dataclass(frozen=True, slots=True)
class RequestReminded:
    """Whoever it waits for is reminded, once for each time that it waits. step: None for those who asked."""

    request_id: RequestId
    person_id: PersonId
    step: Step | None
    at: datetime


@dataclass(frozen=True, slots=True)
class RequestExpired:
    """Nobody answered in time. step: None when those who asked did not."""

    request_id: RequestId
    person_id: PersonId
    step: Step | None
    at: datetime


# --- agreements and grants ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AgreementRecorded:
    agreement_id: AgreementId
    terms: Terms
    by: PersonId
    at: datetime


@dataclass(frozen=True, slots=True)
class AgreementEndedEarly:
    agreement_id: AgreementId
    terms: Terms
    ended_early_on: date
    reason: str
    by: PersonId
    at: datetime


@dataclass(frozen=True, slots=True)
class AgreementLapsed:
    """Its last day is past, and what rested on it has been seen to. Once for each agreement."""

    agreement_id: AgreementId
    delivery_partner_id: OrganisationId
    at: datetime


@dataclass(frozen=True, slots=True)
class GrantGiven:
    """agreements: on which it rests. request_id, by: None for what was given at installation."""

    grant_id: GrantId
    person_id: PersonId
    role: Role
    organisation_id: OrganisationId | None
    request_id: RequestId | None
    agreements: tuple[AgreementId, ...]
    by: PersonId | None
    at: datetime
    review_on: date | None


@dataclass(frozen=True, slots=True)
class GrantEnded:
    """by: None when it ended by itself. words: what the person who ended it wrote."""

    grant_id: GrantId
    person_id: PersonId
    role: Role
    organisation_id: OrganisationId | None
    reason: EndReason
    words: str | None
    by: PersonId | None
    at: datetime


@dataclass(frozen=True, slots=True)
class GrantSuspended:
    """By itself: nobody may use it until a person restores it."""

    grant_id: GrantId
    person_id: PersonId
    role: Role
    organisation_id: OrganisationId | None
    reason: SuspendReason
    at: datetime


@dataclass(frozen=True, slots=True)
class GrantRestored:
    """agreements: on which it rests from now on. words: why policy restored it."""

    grant_id: GrantId
    person_id: PersonId
    role: Role
    organisation_id: OrganisationId | None
    agreements: tuple[AgreementId, ...]
    words: str
    by: PersonId
    at: datetime
    review_on: date | None


# --- reviews --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ReviewCampaignOpened:
    """Every grant in force that is to be reviewed by due_until is asked about. by: None for the scheduler."""

    campaign_id: CampaignId
    due_until: date
    answer_by: date
    by: PersonId | None
    at: datetime


@dataclass(frozen=True, slots=True)
class ReviewAsked:
    """answer_by: the last day (Europe/London); a grant that nobody answered for is suspended then."""

    grant_id: GrantId
    campaign_id: CampaignId
    answer_by: date
    at: datetime


@dataclass(frozen=True, slots=True)
class ReviewConfirmed:
    """The person still needs the access, says by."""

    grant_id: GrantId
    person_id: PersonId
    role: Role
    organisation_id: OrganisationId | None
    campaign_id: CampaignId
    words: str
    by: PersonId
    by_role: Role
    at: datetime
    review_on: date | None


RequestEvent = (
    RequestSubmitted
    | TriagePassed
    | PolicyCheckPassed
    | LeadProviderAsked
    | UserConfirmed
    | RequestGranted
    | RequestDeclined
    | RequestWithdrawn
    | RequestReturned
    | InformationGiven
    | RequestReminded
    | RequestExpired
)
PersonEvent = PersonRegistered | PersonDetailsChanged | NamedInRequest | PersonErased
AgreementEvent = AgreementRecorded | AgreementEndedEarly | AgreementLapsed
GrantEvent = GrantGiven | GrantEnded | GrantSuspended | GrantRestored | ReviewAsked | ReviewConfirmed
Event = RequestEvent | PersonEvent | OrganisationNamed | AgreementEvent | GrantEvent | ReviewCampaignOpened

"""What access publishes, and the bodies of its HTTP interface."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field, StringConstraints

from shared.contracts.body import Body
from shared.contracts.envelope import Catalogue, PersonalText, PublishedEvent
from shared.contracts.manage_ects import OrganisationKind
from shared.contracts.roles import Role

# --- events ---------------------------------------------------------------------------------------


class PersonRegistered(PublishedEvent):
    """Somebody who may be granted a role, or was nominated for one. Registering again changes the details."""

    type: ClassVar[str] = "access.person-registered.v1"
    subject_field: ClassVar[str] = "person_id"
    person_id: UUID
    full_name: PersonalText
    email: PersonalText


class PersonErased(PublishedEvent):
    """Nobody may know any longer who this was. What was told of them before is told without, from now on."""

    type: ClassVar[str] = "access.person-erased.v1"
    subject_field: ClassVar[str] = "person_id"
    person_id: UUID


class OrganisationNamed(PublishedEvent):
    type: ClassVar[str] = "access.organisation-named.v1"
    subject_field: ClassVar[str] = "organisation_id"
    kind: OrganisationKind
    organisation_id: UUID
    name: str


class GrantGiven(PublishedEvent):
    type: ClassVar[str] = "access.grant-given.v1"
    subject_field: ClassVar[str] = "person_id"
    grant_id: UUID
    person_id: UUID
    role: Role
    organisation_id: UUID | None
    request_id: UUID | None
    """None: the grant of first staff, or of a lead provider contact kept by staff."""
    given_by: UUID | None
    review_on: date | None


class GrantEnded(PublishedEvent):
    type: ClassVar[str] = "access.grant-ended.v1"
    subject_field: ClassVar[str] = "person_id"
    grant_id: UUID
    person_id: UUID
    role: Role
    organisation_id: UUID | None
    ended_by: UUID | None
    reason: str


class GrantSuspended(PublishedEvent):
    """Nobody may use the grant until it is restored; its sessions end."""

    type: ClassVar[str] = "access.grant-suspended.v1"
    subject_field: ClassVar[str] = "person_id"
    grant_id: UUID
    person_id: UUID
    role: Role
    organisation_id: UUID | None
    reason: str


class GrantRestored(PublishedEvent):
    """The person may use the grant again."""

    type: ClassVar[str] = "access.grant-restored.v1"
    subject_field: ClassVar[str] = "person_id"
    grant_id: UUID
    person_id: UUID
    role: Role
    organisation_id: UUID | None
    restored_by: UUID
    review_on: date | None


class GrantReviewed(PublishedEvent):
    """Somebody who can know says that the person still needs the access."""

    type: ClassVar[str] = "access.grant-reviewed.v1"
    subject_field: ClassVar[str] = "person_id"
    grant_id: UUID
    person_id: UUID
    role: Role
    organisation_id: UUID | None
    reviewed_by: UUID
    review_on: date | None


class ReviewOpened(PublishedEvent):
    """Every grant that is to be reviewed by a day is asked about. by: None for the scheduler."""

    type: ClassVar[str] = "access.review-opened.v1"
    subject_field: ClassVar[str] = "campaign_id"
    campaign_id: UUID
    due_until: date
    answer_by: date
    by: UUID | None


class ConfirmationRequested(PublishedEvent):
    """A lead provider is asked whether a person is valid. Auth emails its contacts a sign-in link."""

    type: ClassVar[str] = "access.confirmation-requested.v1"
    subject_field: ClassVar[str] = "request_id"
    request_id: UUID
    lead_provider_id: UUID
    contacts: list[UUID]
    """Persons."""


class RequestProgressed(PublishedEvent):
    """One step of an access request, for the audit."""

    type: ClassVar[str] = "access.request-progressed.v1"
    subject_field: ClassVar[str] = "request_id"
    request_id: UUID
    person_id: UUID
    """Whom the request is about."""
    step: str
    by: UUID | None


class AgreementChanged(PublishedEvent):
    """A data-sharing agreement was recorded or ended early."""

    type: ClassVar[str] = "access.agreement-changed.v1"
    subject_field: ClassVar[str] = "agreement_id"
    agreement_id: UUID
    delivery_partner_id: UUID
    lead_provider_id: UUID
    starts_on: date
    ends_on: date
    ended_early_on: date | None
    reference: str
    by: UUID


CATALOGUE = Catalogue(
    PersonRegistered,
    PersonErased,
    OrganisationNamed,
    GrantGiven,
    GrantEnded,
    GrantSuspended,
    GrantRestored,
    GrantReviewed,
    ReviewOpened,
    ConfirmationRequested,
    RequestProgressed,
    AgreementChanged,
)

# --- HTTP -----------------------------------------------------------------------------------------

Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]


class Organisation(Body):
    """GET /organisations?kind= → list[Organisation], by name."""

    organisation_id: UUID
    kind: OrganisationKind
    name: str


class RequestState(StrEnum):
    SUBMITTED = "submitted"
    POLICY_CHECK = "policy_check"
    AWAITING_LEAD_PROVIDER = "awaiting_lead_provider"
    RETURNED = "returned"
    GRANTED = "granted"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"

    @property
    def label(self) -> str:
        return {
            "submitted": "Waiting for support",
            "policy_check": "Waiting for the policy check",
            "awaiting_lead_provider": "Waiting for the lead provider",
            "returned": "Sent back for information",
            "granted": "Granted",
            "declined": "Declined",
            "withdrawn": "Withdrawn",
            "expired": "Expired",
        }[self.value]

    @property
    def is_open(self) -> bool:
        return self in (
            RequestState.SUBMITTED,
            RequestState.POLICY_CHECK,
            RequestState.AWAITING_LEAD_PROVIDER,
            RequestState.RETURNED,
        )


class SubmitRequest(Body):
    """POST /requests → 201 AccessRequest.

    By a user for the own organisation and one of the roles delivery partner and appropriate body, or by
    support for any organisation (the reason says how it came).
    409 `already-requested` or `already-granted` when the same is open or held.
    """

    full_name: Annotated[PersonalText, StringConstraints(strip_whitespace=True, max_length=255)]
    email: Annotated[PersonalText, StringConstraints(strip_whitespace=True, max_length=320)]
    role: Role
    organisation_id: UUID
    reason: Reason


class AskForOneself(Body):
    """POST /requests/own → 204, by the gateway for somebody without access.

    email: proven by a link that was sent to it. 409 `already-requested`, `already-granted` or `suspended`
    when the same is open or held: it tells the person about themself.
    """

    full_name: Annotated[PersonalText, StringConstraints(strip_whitespace=True, max_length=255)]
    email: Annotated[PersonalText, StringConstraints(strip_whitespace=True, max_length=320)]
    role: Role
    organisation_id: UUID
    reason: Reason


class Decision(StrEnum):
    APPROVE = "approve"
    DECLINE = "decline"
    RETURN = "return"
    """Back to those who asked, for information: by support and policy."""


class DeclineKind(StrEnum):
    NOT_EMPLOYED = "not_employed"
    NO_NEED = "no_need"
    NOT_COVERED = "not_covered"
    NOT_KNOWN = "not_known"
    WRONG_DETAILS = "wrong_details"
    OTHER = "other"

    @property
    def label(self) -> str:
        return {
            "not_employed": "They do not work for this organisation",
            "no_need": "They do not need this data for their work",
            "not_covered": "No data-sharing agreement covers the access",
            "not_known": "The lead provider does not know them as a valid user",
            "wrong_details": "The name, email address or organisation is wrong",
            "other": "Another reason",
        }[self.value]


class Decide(Body):
    """POST /requests/{id}/triage, /policy-check or /confirmation → AccessRequest.

    403 `not-your-step` (role), 409 `four-eyes` (made or decided this request before) or
    `not-awaiting-this-step` (somebody else was faster; the detail says what happened).
    """

    decision: Decision
    reason: Reason
    """Of a decision; what is to be told, when a request is sent back."""
    decline_kind: DeclineKind | None = None
    """Needed with a no: 422 `decline-reason-needed`."""
    lead_provider_id: UUID | None = None
    """With the policy check's approval: which lead provider is asked (of a covering agreement)."""


class DecideSeveral(Decide):
    """POST /requests/triage, or /confirmations → list[Outcome], each decided by itself."""

    request_ids: Annotated[list[UUID], Field(min_length=1, max_length=100)]


class Outcome(Body):
    request_id: UUID
    done: bool
    why_not: str | None
    """In a sentence, such as that somebody else was faster."""


class Withdraw(Body):
    """POST /requests/{id}/withdraw → AccessRequest."""

    reason: Reason


class GiveInformation(Body):
    """POST /requests/{id}/information → AccessRequest. The side that asked, while it is sent back."""

    information: Reason


class RequestStep(Body):
    """One line of a request's time line, in order of time."""

    at: datetime
    step: str
    """Plain words, such as "Policy check passed"."""
    by_name: PersonalText | None
    by_role: Role | None
    reason: str | None


class Agreement(Body):
    """GET /agreements → list[Agreement]; POST /agreements/{id}/end (EndAgreement) → Agreement."""

    agreement_id: UUID
    delivery_partner_id: UUID
    delivery_partner_name: str
    lead_provider_id: UUID
    lead_provider_name: str
    starts_on: date
    ends_on: date
    ended_early_on: date | None
    reference: str
    in_force: bool
    """Today, Europe/London."""


class RecordAgreement(Body):
    """POST /agreements → 201 Agreement. Policy only."""

    delivery_partner_id: UUID
    lead_provider_id: UUID
    starts_on: date
    ends_on: date
    reference: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]


class EndAgreement(Body):
    ended_early_on: date
    reason: Reason


class CoverageCheck(Body):
    """What the register says about a request: advice, a person decides."""

    covered: bool
    covering: list[Agreement]
    explanation: str


class LookAlike(Body):
    """Somebody else whose address could be taken for the one at hand."""

    person_id: UUID
    full_name: PersonalText
    email: PersonalText
    why: str


class AccessRequest(Body):
    """GET /requests/{id}. GET /requests?state=&page= → RequestPage.

    Users get the requests of their own organisation and role, staff all, lead provider contacts those
    that wait for their lead provider (GET /confirmations → list[AccessRequest]).
    """

    request_id: UUID
    person_id: UUID
    full_name: PersonalText
    """As those who asked wrote it."""
    email: PersonalText
    registered_name: PersonalText | None = None
    """Staff only: the name that is registered under this address, when it is another one."""
    role: Role
    organisation_id: UUID
    organisation_name: str
    reason: str
    state: RequestState
    submitted_at: datetime
    submitted_by_name: PersonalText | None
    asked_by_themself: bool = False
    """Staff only: by the person whom it is about, who has no access yet. Their address is proven."""
    lead_provider_id: UUID | None
    lead_provider_name: str | None
    outcome_reason: str | None
    outcome_kind: DeclineKind | None = None
    waiting_since: datetime
    """When it came into its state."""
    steps: list[RequestStep] = Field(default_factory=list)
    """Empty in lists, and for lead provider contacts."""
    look_alikes: list[LookAlike] = Field(default_factory=list)
    """Staff only, of one request."""
    check: CoverageCheck | None = None
    """Only for policy, while the policy check is due or afterwards."""
    may: list[str] = Field(default_factory=list)
    """What the caller may do next: of `triage`, `policy_check`, `confirmation`, `inform`, `withdraw`."""


class RequestPage(Body):
    requests: list[AccessRequest]
    total: int
    page: int
    pages: int
    by_state: dict[RequestState, int]


class Grant(Body):
    grant_id: UUID
    role: Role
    organisation_id: UUID | None
    organisation_name: str | None
    request_id: UUID | None
    given_at: datetime
    review_on: date | None
    suspended_at: datetime | None = None
    suspended_reason: str | None = None
    """In a sentence."""
    ended_at: datetime | None
    ended_reason: str | None


class Person(Body):
    """GET /people?q=&page= → PersonPage; GET /people/{id} → Person. Staff only."""

    person_id: UUID
    full_name: PersonalText
    email: PersonalText
    grants: list[Grant]


class PersonPage(Body):
    people: list[Person]
    total: int
    page: int
    pages: int


class RevokeGrant(Body):
    """POST /grants/{id}/revoke → Person. Support or administrator."""

    reason: Reason


class RestoreGrant(Body):
    """POST /grants/{id}/restore → Person. Policy.

    409 `not-suspended` or `not-covered`. GET /grants/suspended → list[Person]: whose grants are suspended.
    """

    reason: Reason


class Colleague(Body):
    """GET /colleagues → list[Colleague]: who has access to the caller's organisation, in the caller's role.

    POST /colleagues/{grant_id}/left (ColleagueLeft) → list[Colleague]: that person has left.
    """

    grant_id: UUID
    full_name: PersonalText
    email: PersonalText
    given_at: datetime
    review_on: date | None
    suspended: bool
    is_you: bool


class ColleagueLeft(Body):
    reason: Reason


class OpenReview(Body):
    """POST /reviews → 201 Review. Policy or administrator.

    Asks about every access in force that is to be reviewed by due_until. 409 `nothing-to-review`.
    """

    due_until: date
    answer_by: date


class Review(Body):
    """GET /reviews → list[Review], newest first. Staff."""

    campaign_id: UUID
    opened_at: datetime
    opened_by_name: PersonalText | None
    """None: the scheduler."""
    due_until: date
    answer_by: date
    open: int
    confirmed: int
    ended: int
    suspended: int


class ReviewItem(Body):
    """GET /reviews/mine → list[ReviewItem]: what the caller may answer. Users and lead provider contacts.

    POST /reviews/grants/{grant_id} (AnswerReview) → list[ReviewItem]. 409 `not-in-review` when somebody was
    faster, `four-eyes` for the own access.
    """

    grant_id: UUID
    full_name: PersonalText
    email: PersonalText
    role: Role
    organisation_name: str | None
    given_at: datetime
    answer_by: date


class AnswerReview(Body):
    decision: Decision
    """`approve`: still needed. `decline`: the access ends."""
    reason: Reason


class GrantEvidence(Body):
    """One grant, with all that it rests on."""

    grant: Grant
    request: AccessRequest | None
    """With its steps and with what the register said. None: given by staff or at installation."""
    agreements: list[Agreement]
    """On which it was given, or restored last, as they are in the register now."""
    cover_today: CoverageCheck | None
    """What the register says now. None where no agreement is needed."""
    history: list[RequestStep]
    """Given, suspended, restored, ended."""


class WhyAccess(Body):
    """GET /people/{id}/why. Staff: why this person has access, or had it."""

    person_id: UUID
    full_name: PersonalText
    email: PersonalText
    on: date
    """Europe/London."""
    grants: list[GrantEvidence]


class ImportAgreements(Body):
    """POST /agreements/import → list[ImportLine]. Policy.

    Columns: delivery_partner, lead_provider, starts_on, ends_on, reference. dry_run: everything is tried and
    taken back.
    """

    csv: Annotated[str, StringConstraints(min_length=1, max_length=90_000)]
    dry_run: bool


class ImportUsers(Body):
    """POST /requests/import → list[ImportLine]. Support. Each line becomes a request.

    Columns: full_name, email, organisation, role.
    """

    csv: Annotated[PersonalText, StringConstraints(min_length=1, max_length=90_000)]
    reason: Reason
    dry_run: bool


class LineOutcome(StrEnum):
    NEW = "new"
    KNOWN = "known"
    REFUSED = "refused"


class ImportLine(Body):
    number: int
    about: PersonalText
    outcome: LineOutcome
    sentence: PersonalText


class AgreementChange(Body):
    """GET /agreements/{id}/changes → list[AgreementChange], oldest first."""

    at: datetime
    what: str
    by_name: PersonalText | None
    reason: str | None
    differences: list["Difference"]


class Difference(Body):
    field: str
    """In plain words."""
    before: str | None
    after: str | None


class AddContact(Body):
    """POST /lead-provider-contacts → 201 Person, with a lead provider grant. Policy or administrator."""

    full_name: Annotated[PersonalText, StringConstraints(strip_whitespace=True, max_length=255)]
    email: Annotated[PersonalText, StringConstraints(strip_whitespace=True, max_length=320)]
    lead_provider_id: UUID


class AuditEntry(Body):
    """One fact of the audit, newest first: GET /audit?person_id=&participant_id=&kind=&page= → AuditPage.

    Auditor or administrator.
    """

    number: int
    at: datetime
    kind: str
    """The published event's type."""
    sentence: PersonalText
    """Who did what, in plain words."""
    person_id: UUID | None
    person_name: PersonalText | None
    role: Role | None
    organisation_name: str | None
    hash: str


class AuditPage(Body):
    entries: list[AuditEntry]
    total: int
    page: int
    pages: int

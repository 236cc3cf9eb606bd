"""What is known of each subject: the fold of its own events, in their order."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from types import MappingProxyType
from typing import NamedTuple
from uuid import UUID

from services.participants.domain.received import OrganisationEvent, PartnershipEvent, SchoolEvent
from shared.contracts.manage_ects import (
    AppropriateBodyRegistered,
    ChallengeReason,
    DeliveryPartnerRegistered,
    EligibilityReason,
    EligibilityStatus,
    EmailStatus,
    InductionStatus,
    LeadProviderRegistered,
    OrganisationKind,
    OrganisationRenamed,
    ParticipantRole,
    PartnershipChallenged,
    PartnershipConfirmed,
    PartnershipProvidersChanged,
    PartnershipReported,
    PartnershipUnchallenged,
    Programme,
    TrainingStatus,
)


@dataclass(frozen=True, slots=True)
class Registration:
    """Who was registered, as what, by which school."""

    person_id: UUID
    role: ParticipantRole
    full_name: str
    email: str
    academic_year: int
    school_id: UUID


@dataclass(frozen=True, slots=True)
class Validation:
    """What the person told DfE about themselves, and whether asking the TRA failed."""

    trn: str | None
    api_failure: bool


@dataclass(frozen=True, slots=True)
class Eligibility:
    status: EligibilityStatus
    reason: EligibilityReason


class InductionRecord(NamedTuple):
    """One stretch of a participant's induction.

    A named tuple, like `Participant`: both are made anew by nearly every event, which takes a dataclass five
    times as long, and rebuilding all rows would take twice as long.
    """

    induction_record_id: UUID
    programme: Programme | None
    partnership_id: UUID | None
    school_id: UUID
    academic_year: int
    start_date: date
    end_date: date | None
    induction_status: InductionStatus
    training_status: TrainingStatus
    school_transfer: bool
    mentor_participant_id: UUID | None
    appropriate_body_id: UUID | None
    preferred_email: str | None


class Participant(NamedTuple):
    """One registration of an ECT or mentor. `records` is in the order of their first opening.

    Without a registration nothing is shown. A removed participant keeps nothing but its ID: whatever comes
    later is ignored, so that what was erased does not come back.
    """

    participant_id: UUID
    registration: Registration | None = None
    trn: str | None = None
    validation: Validation | None = None
    details_request: EmailStatus | None = None
    eligibility: Eligibility | None = None
    induction_start_date: date | None = None
    induction_completed_on: date | None = None
    removed: bool = False
    records: Mapping[UUID, InductionRecord] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Partnership:
    """Who delivers to one school in one academic year."""

    partnership_id: UUID
    school_id: UUID
    lead_provider_id: UUID
    delivery_partner_id: UUID | None
    academic_year: int
    pending: bool
    challenged: ChallengeReason | None

    @property
    def active(self) -> bool:
        """In force: what is pending or challenged shows nobody to the delivery partner."""
        return self.challenged is None and not self.pending


@dataclass(frozen=True, slots=True)
class School:
    school_id: UUID
    urn: str
    name: str


@dataclass(frozen=True, slots=True)
class Organisation:
    kind: OrganisationKind
    organisation_id: UUID
    name: str


def evolve_partnership(partnership: Partnership | None, event: PartnershipEvent) -> Partnership | None:
    """Return what is known after one more event about this partnership; None until it is reported.

    A repeated report replaces it whole, and so takes back a challenge.
    """
    if isinstance(event, PartnershipReported):
        return Partnership(
            partnership_id=event.partnership_id,
            school_id=event.school_id,
            lead_provider_id=event.lead_provider_id,
            delivery_partner_id=event.delivery_partner_id,
            academic_year=event.academic_year,
            pending=event.pending,
            challenged=None,
        )
    if partnership is None:
        return None
    match event:
        case PartnershipConfirmed():
            return replace(partnership, pending=False)
        case PartnershipChallenged(reason=reason):
            return replace(partnership, challenged=reason)
        case PartnershipUnchallenged():
            return replace(partnership, challenged=None)
        case PartnershipProvidersChanged(lead_provider_id=lead_provider, delivery_partner_id=partner):
            return replace(partnership, lead_provider_id=lead_provider, delivery_partner_id=partner)


def school_of(event: SchoolEvent) -> School:
    """Return the school as an event states it; the latest in the source's order holds."""
    return School(event.school_id, event.urn, event.name)


def organisation_of(event: OrganisationEvent) -> Organisation:
    """Return the organisation as an event states it; the latest in the source's order holds."""
    match event:
        case LeadProviderRegistered(lead_provider_id=organisation_id, name=name):
            return Organisation(OrganisationKind.LEAD_PROVIDER, organisation_id, name)
        case DeliveryPartnerRegistered(delivery_partner_id=organisation_id, name=name):
            return Organisation(OrganisationKind.DELIVERY_PARTNER, organisation_id, name)
        case AppropriateBodyRegistered(appropriate_body_id=organisation_id, name=name):
            return Organisation(OrganisationKind.APPROPRIATE_BODY, organisation_id, name)
        case OrganisationRenamed(kind=kind, organisation_id=organisation_id, name=name):
            return Organisation(kind, organisation_id, name)

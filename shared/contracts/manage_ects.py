"""Events of Manage ECTs, the neighbour upstream: who is registered, by which school, with whom.

Source of each: docs/domain.md, section "Events from Manage ECTs".
"""

from datetime import date
from enum import StrEnum
from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import StringConstraints

from shared.contracts.envelope import Catalogue, PersonalText, PublishedEvent

SOURCE = "/manage-ects"

Trn = Annotated[PersonalText, StringConstraints(pattern=r"^[0-9]{7}$")]
Urn = Annotated[str, StringConstraints(pattern=r"^[0-9]{6}$")]
Name = Annotated[str, StringConstraints(min_length=1, max_length=255, strip_whitespace=True)]
PersonName = Annotated[PersonalText, StringConstraints(min_length=1, max_length=255, strip_whitespace=True)]
Email = Annotated[PersonalText, StringConstraints(min_length=3, max_length=320, strip_whitespace=True)]


class ParticipantRole(StrEnum):
    ECT = "ect"
    MENTOR = "mentor"


class Programme(StrEnum):
    FULL = "full"
    CORE = "core"
    DESIGN_OUR_OWN = "design_our_own"
    SCHOOL_FUNDED = "school_funded"


class OrganisationKind(StrEnum):
    LEAD_PROVIDER = "lead_provider"
    DELIVERY_PARTNER = "delivery_partner"
    APPROPRIATE_BODY = "appropriate_body"


class EmailStatus(StrEnum):
    SUBMITTED = "submitted"
    DELIVERED = "delivered"
    FAILED = "failed"


class EligibilityStatus(StrEnum):
    ELIGIBLE = "eligible"
    MATCHED = "matched"
    MANUAL_CHECK = "manual_check"
    INELIGIBLE = "ineligible"


class EligibilityReason(StrEnum):
    NONE = "none"
    ACTIVE_FLAGS = "active_flags"
    PREVIOUS_PARTICIPATION = "previous_participation"
    PREVIOUS_INDUCTION = "previous_induction"
    NO_QTS = "no_qts"
    DIFFERENT_TRN = "different_trn"
    DUPLICATE_PROFILE = "duplicate_profile"
    NO_INDUCTION = "no_induction"
    EXEMPT_FROM_INDUCTION = "exempt_from_induction"


class InductionStatus(StrEnum):
    ACTIVE = "active"
    WITHDRAWN = "withdrawn"
    CHANGED = "changed"
    LEAVING = "leaving"
    COMPLETED = "completed"


class TrainingStatus(StrEnum):
    ACTIVE = "active"
    DEFERRED = "deferred"
    WITHDRAWN = "withdrawn"


class ChallengeReason(StrEnum):
    ANOTHER_PROVIDER = "another_provider"
    NOT_CONFIRMED = "not_confirmed"
    DO_NOT_RECOGNISE = "do_not_recognise"
    NO_ECTS = "no_ects"
    MISTAKE = "mistake"


class ReportedBy(StrEnum):
    LEAD_PROVIDER = "lead_provider"
    SCHOOL = "school"


class LeadProviderRegistered(PublishedEvent):
    type: ClassVar[str] = "manage-ects.lead-provider-registered.v1"
    subject_field: ClassVar[str] = "lead_provider_id"
    lead_provider_id: UUID
    name: Name


class DeliveryPartnerRegistered(PublishedEvent):
    type: ClassVar[str] = "manage-ects.delivery-partner-registered.v1"
    subject_field: ClassVar[str] = "delivery_partner_id"
    delivery_partner_id: UUID
    name: Name


class AppropriateBodyRegistered(PublishedEvent):
    type: ClassVar[str] = "manage-ects.appropriate-body-registered.v1"
    subject_field: ClassVar[str] = "appropriate_body_id"
    appropriate_body_id: UUID
    name: Name


class OrganisationRenamed(PublishedEvent):
    type: ClassVar[str] = "manage-ects.organisation-renamed.v1"
    subject_field: ClassVar[str] = "organisation_id"
    kind: OrganisationKind
    organisation_id: UUID
    name: Name


class SchoolOpened(PublishedEvent):
    type: ClassVar[str] = "manage-ects.school-opened.v1"
    subject_field: ClassVar[str] = "school_id"
    school_id: UUID
    urn: Urn
    name: Name


class SchoolChanged(PublishedEvent):
    type: ClassVar[str] = "manage-ects.school-changed.v1"
    subject_field: ClassVar[str] = "school_id"
    school_id: UUID
    urn: Urn
    name: Name


class PartnershipReported(PublishedEvent):
    type: ClassVar[str] = "manage-ects.partnership-reported.v1"
    subject_field: ClassVar[str] = "partnership_id"
    partnership_id: UUID
    school_id: UUID
    lead_provider_id: UUID
    delivery_partner_id: UUID | None = None
    academic_year: int
    pending: bool


class PartnershipConfirmed(PublishedEvent):
    type: ClassVar[str] = "manage-ects.partnership-confirmed.v1"
    subject_field: ClassVar[str] = "partnership_id"
    partnership_id: UUID


class PartnershipChallenged(PublishedEvent):
    type: ClassVar[str] = "manage-ects.partnership-challenged.v1"
    subject_field: ClassVar[str] = "partnership_id"
    partnership_id: UUID
    reason: ChallengeReason


class PartnershipUnchallenged(PublishedEvent):
    type: ClassVar[str] = "manage-ects.partnership-unchallenged.v1"
    subject_field: ClassVar[str] = "partnership_id"
    partnership_id: UUID


class PartnershipProvidersChanged(PublishedEvent):
    type: ClassVar[str] = "manage-ects.partnership-providers-changed.v1"
    subject_field: ClassVar[str] = "partnership_id"
    partnership_id: UUID
    lead_provider_id: UUID
    delivery_partner_id: UUID | None = None


class ParticipantEvent(PublishedEvent):
    """An event whose subject is one participant."""

    subject_field: ClassVar[str] = "participant_id"
    participant_id: UUID


class ParticipantRegistered(ParticipantEvent):
    type: ClassVar[str] = "manage-ects.participant-registered.v1"
    person_id: UUID
    role: ParticipantRole
    full_name: PersonName
    email: Email
    academic_year: int
    school_id: UUID
    induction_start_date: date | None = None


class ParticipantDetailsChanged(ParticipantEvent):
    type: ClassVar[str] = "manage-ects.participant-details-changed.v1"
    full_name: PersonName
    email: Email


class DetailsRequested(ParticipantEvent):
    type: ClassVar[str] = "manage-ects.details-requested.v1"
    email_status: EmailStatus


class ValidationDataReceived(ParticipantEvent):
    type: ClassVar[str] = "manage-ects.validation-data-received.v1"
    trn: Trn | None = None
    api_failure: bool


class TrnValidated(ParticipantEvent):
    """A null TRN takes a validated one back (docs/decisions)."""

    type: ClassVar[str] = "manage-ects.trn-validated.v1"
    trn: Trn | None = None


class EligibilityDetermined(ParticipantEvent):
    type: ClassVar[str] = "manage-ects.eligibility-determined.v1"
    status: EligibilityStatus
    reason: EligibilityReason


class InductionStartRecorded(ParticipantEvent):
    type: ClassVar[str] = "manage-ects.induction-start-recorded.v1"
    induction_start_date: date | None = None


class InductionRecordOpened(ParticipantEvent):
    """For a known record, replaces it (docs/decisions)."""

    type: ClassVar[str] = "manage-ects.induction-record-opened.v1"
    induction_record_id: UUID
    programme: Programme | None = None
    partnership_id: UUID | None = None
    school_id: UUID
    academic_year: int
    start_date: date
    end_date: date | None = None
    induction_status: InductionStatus
    training_status: TrainingStatus
    school_transfer: bool
    mentor_participant_id: UUID | None = None
    appropriate_body_id: UUID | None = None
    preferred_email: Email | None = None


class InductionRecordClosed(ParticipantEvent):
    type: ClassVar[str] = "manage-ects.induction-record-closed.v1"
    induction_record_id: UUID
    induction_status: InductionStatus
    end_date: date | None = None


class TrainingDeferred(ParticipantEvent):
    type: ClassVar[str] = "manage-ects.training-deferred.v1"
    induction_record_id: UUID
    reason: str
    reported_by: ReportedBy
    happened_on: date


class TrainingWithdrawn(ParticipantEvent):
    type: ClassVar[str] = "manage-ects.training-withdrawn.v1"
    induction_record_id: UUID
    reason: str
    reported_by: ReportedBy
    happened_on: date


class TrainingResumed(ParticipantEvent):
    type: ClassVar[str] = "manage-ects.training-resumed.v1"
    induction_record_id: UUID
    reported_by: ReportedBy
    happened_on: date


class MentorAssigned(ParticipantEvent):
    type: ClassVar[str] = "manage-ects.mentor-assigned.v1"
    induction_record_id: UUID
    mentor_participant_id: UUID | None = None


class AppropriateBodyAssigned(ParticipantEvent):
    type: ClassVar[str] = "manage-ects.appropriate-body-assigned.v1"
    induction_record_id: UUID
    appropriate_body_id: UUID | None = None


class PreferredEmailChanged(ParticipantEvent):
    type: ClassVar[str] = "manage-ects.preferred-email-changed.v1"
    induction_record_id: UUID
    preferred_email: Email | None = None


class InductionCompleted(ParticipantEvent):
    type: ClassVar[str] = "manage-ects.induction-completed.v1"
    induction_record_id: UUID
    completed_on: date


class ParticipantRemoved(ParticipantEvent):
    """Registered by mistake, merged or erased: vanishes everywhere."""

    type: ClassVar[str] = "manage-ects.participant-removed.v1"


CATALOGUE = Catalogue(
    LeadProviderRegistered,
    DeliveryPartnerRegistered,
    AppropriateBodyRegistered,
    OrganisationRenamed,
    SchoolOpened,
    SchoolChanged,
    PartnershipReported,
    PartnershipConfirmed,
    PartnershipChallenged,
    PartnershipUnchallenged,
    PartnershipProvidersChanged,
    ParticipantRegistered,
    ParticipantDetailsChanged,
    DetailsRequested,
    ValidationDataReceived,
    TrnValidated,
    EligibilityDetermined,
    InductionStartRecorded,
    InductionRecordOpened,
    InductionRecordClosed,
    TrainingDeferred,
    TrainingWithdrawn,
    TrainingResumed,
    MentorAssigned,
    AppropriateBodyAssigned,
    PreferredEmailChanged,
    InductionCompleted,
    ParticipantRemoved,
)

"""Inputs of the status decision for tests: somebody for whom all is well, and what to change about them."""

from typing import Any

from services.participants.domain.decision import DetailsGiven, StatusInputs
from services.participants.domain.facts import Eligibility
from shared.contracts.manage_ects import (
    EligibilityReason,
    EligibilityStatus,
    InductionStatus,
    ParticipantRole,
    Programme,
    TrainingStatus,
)

ECT_IN_TRAINING = StatusInputs(
    role=ParticipantRole.ECT,
    has_trn=True,
    details=DetailsGiven(trn_given=True, api_failure=False),
    details_request=None,
    eligibility=Eligibility(EligibilityStatus.ELIGIBLE, EligibilityReason.NONE),
    induction_started=True,
    induction_status=InductionStatus.ACTIVE,
    training_status=TrainingStatus.ACTIVE,
    starts_later=False,
    ended=None,
    school_transfer=False,
    programme=Programme.FULL,
    has_lead_provider=True,
    ever_mentored=False,
    mentoring_now=False,
)
MENTOR_MENTORING = ECT_IN_TRAINING._replace(
    role=ParticipantRole.MENTOR, ever_mentored=True, mentoring_now=True
)


def ect(**changes: Any) -> StatusInputs:
    return ECT_IN_TRAINING._replace(**changes)


def mentor(**changes: Any) -> StatusInputs:
    return MENTOR_MENTORING._replace(**changes)


def judged(status: str, reason: str) -> Eligibility:
    return Eligibility(EligibilityStatus(status), EligibilityReason(reason))

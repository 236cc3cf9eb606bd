"""The eight statuses, the finer states behind them, and which state reads as which status.

Source: docs/domain.md, section "Status".
"""

from enum import StrEnum


class Status(StrEnum):
    """The eight statuses, in the order of a participant's usual way through them."""

    CONTACTED_FOR_INFORMATION = "contacted_for_information"
    DFE_CHECKING_ELIGIBILITY = "dfe_checking_eligibility"
    NOT_ELIGIBLE_FOR_FUNDED_TRAINING = "not_eligible_for_funded_training"
    CHECKING_QTS = "checking_qts"
    TRAINING_OR_ELIGIBLE_FOR_TRAINING = "training_or_eligible_for_training"
    PARTICIPANT_DEFERRED = "participant_deferred"
    NO_LONGER_BEING_TRAINED = "no_longer_being_trained"
    INDUCTION_COMPLETED = "induction_completed"

    @property
    def label(self) -> str:
        return _LABELS[self]


_LABELS = {
    Status.CONTACTED_FOR_INFORMATION: "Contacted for information",
    Status.DFE_CHECKING_ELIGIBILITY: "DfE checking eligibility",
    Status.NOT_ELIGIBLE_FOR_FUNDED_TRAINING: "Not eligible for funded training",
    Status.CHECKING_QTS: "Checking QTS",
    Status.TRAINING_OR_ELIGIBLE_FOR_TRAINING: "Training or eligible for training",
    Status.PARTICIPANT_DEFERRED: "Participant deferred",
    Status.NO_LONGER_BEING_TRAINED: "No longer being trained",
    Status.INDUCTION_COMPLETED: "Induction completed",
}


class State(StrEnum):
    """The state of a record: finer than the status, it says what is awaited."""

    VALIDATION_NOT_STARTED = "validation_not_started"
    REQUEST_FOR_DETAILS_SUBMITTED = "request_for_details_submitted"
    REQUEST_FOR_DETAILS_DELIVERED = "request_for_details_delivered"
    REQUEST_FOR_DETAILS_FAILED = "request_for_details_failed"
    INTERNAL_ERROR = "internal_error"
    CHECKS_NOT_COMPLETE = "checks_not_complete"
    DIFFERENT_TRN = "different_trn"
    TRA_RECORD_NOT_FOUND = "tra_record_not_found"
    ACTIVE_FLAGS = "active_flags"
    NO_INDUCTION_START = "no_induction_start"
    DUPLICATE_PROFILE = "duplicate_profile"
    NOT_ALLOWED = "not_allowed"
    EXEMPT_FROM_INDUCTION = "exempt_from_induction"
    PREVIOUS_INDUCTION = "previous_induction"
    ACTIVE_MENTORING_ERO = "active_mentoring_ero"
    NOT_YET_MENTORING_ERO = "not_yet_mentoring_ero"
    NOT_QUALIFIED = "not_qualified"
    REGISTERED_FOR_FIP_NO_PARTNER = "registered_for_fip_no_partner"
    REGISTERED_FOR_FIP_TRAINING = "registered_for_fip_training"
    REGISTERED_FOR_CIP_TRAINING = "registered_for_cip_training"
    REGISTERED_FOR_DIY_TRAINING = "registered_for_diy_training"
    ACTIVE_FIP_TRAINING = "active_fip_training"
    ACTIVE_CIP_TRAINING = "active_cip_training"
    ACTIVE_DIY_TRAINING = "active_diy_training"
    ACTIVE_MENTORING = "active_mentoring"
    NOT_YET_MENTORING = "not_yet_mentoring"
    LEAVING = "leaving"
    JOINING = "joining"
    DEFERRED_TRAINING = "deferred_training"
    WITHDRAWN_TRAINING = "withdrawn_training"
    WITHDRAWN_PROGRAMME = "withdrawn_programme"
    LEFT = "left"
    NO_LONGER_INVOLVED = "no_longer_involved"
    NOT_REGISTERED_FOR_TRAINING = "not_registered_for_training"
    COMPLETED_TRAINING = "completed_training"

    @property
    def status(self) -> Status:
        return _STATUS_OF[self]


_STATES_OF: dict[Status, tuple[State, ...]] = {
    Status.CONTACTED_FOR_INFORMATION: (
        State.VALIDATION_NOT_STARTED,
        State.REQUEST_FOR_DETAILS_SUBMITTED,
        State.REQUEST_FOR_DETAILS_DELIVERED,
        State.REQUEST_FOR_DETAILS_FAILED,
    ),
    Status.DFE_CHECKING_ELIGIBILITY: (
        State.INTERNAL_ERROR,
        State.CHECKS_NOT_COMPLETE,
        State.DIFFERENT_TRN,
        State.TRA_RECORD_NOT_FOUND,
        State.ACTIVE_FLAGS,
        State.NO_INDUCTION_START,
    ),
    Status.NOT_ELIGIBLE_FOR_FUNDED_TRAINING: (
        State.DUPLICATE_PROFILE,
        State.NOT_ALLOWED,
        State.EXEMPT_FROM_INDUCTION,
        State.PREVIOUS_INDUCTION,
        State.ACTIVE_MENTORING_ERO,
        State.NOT_YET_MENTORING_ERO,
    ),
    Status.CHECKING_QTS: (State.NOT_QUALIFIED,),
    Status.TRAINING_OR_ELIGIBLE_FOR_TRAINING: (
        State.REGISTERED_FOR_FIP_NO_PARTNER,
        State.REGISTERED_FOR_FIP_TRAINING,
        State.REGISTERED_FOR_CIP_TRAINING,
        State.REGISTERED_FOR_DIY_TRAINING,
        State.ACTIVE_FIP_TRAINING,
        State.ACTIVE_CIP_TRAINING,
        State.ACTIVE_DIY_TRAINING,
        State.ACTIVE_MENTORING,
        State.NOT_YET_MENTORING,
        State.LEAVING,
        State.JOINING,
    ),
    Status.PARTICIPANT_DEFERRED: (State.DEFERRED_TRAINING,),
    Status.NO_LONGER_BEING_TRAINED: (
        State.WITHDRAWN_TRAINING,
        State.WITHDRAWN_PROGRAMME,
        State.LEFT,
        State.NO_LONGER_INVOLVED,
        State.NOT_REGISTERED_FOR_TRAINING,
    ),
    Status.INDUCTION_COMPLETED: (State.COMPLETED_TRAINING,),
}
_STATUS_OF = {state: status for status, states in _STATES_OF.items() for state in states}

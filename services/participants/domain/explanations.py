"""Our words for what a status means and for what a state awaits: one sentence each, plain English.

A reason is read by the partner's or the appropriate body's staff. It says nothing that they may not know
about a person (why DfE looks at somebody's record by hand) nor where somebody went.
"""

from services.participants.domain.status import State, Status

EXPLANATIONS: dict[Status, str] = {
    Status.CONTACTED_FOR_INFORMATION: (
        "DfE needs details from this person before it can check whether they are eligible."
    ),
    Status.DFE_CHECKING_ELIGIBILITY: (
        "DfE is checking this person’s details with the Teaching Regulation Agency (TRA)."
    ),
    Status.NOT_ELIGIBLE_FOR_FUNDED_TRAINING: (
        "DfE checked this person’s details and will not fund training for them."
    ),
    Status.CHECKING_QTS: (
        "The TRA has not recorded qualified teacher status (QTS) for this person, and DfE keeps checking."
    ),
    Status.TRAINING_OR_ELIGIBLE_FOR_TRAINING: "This person is in training or can start it.",
    Status.PARTICIPANT_DEFERRED: "This person’s training is paused.",
    Status.NO_LONGER_BEING_TRAINED: (
        "This person’s training has ended, they have left, or their training is not funded by DfE."
    ),
    Status.INDUCTION_COMPLETED: "The TRA has recorded that this person completed their induction.",
}

REASONS: dict[State, str] = {
    State.VALIDATION_NOT_STARTED: (
        "DfE has yet to ask this person for the details that it needs to check them."
    ),
    State.REQUEST_FOR_DETAILS_SUBMITTED: (
        "DfE has sent this person an email asking for their details, and has not heard yet that it arrived."
    ),
    State.REQUEST_FOR_DETAILS_DELIVERED: (
        "DfE’s email asking for details was delivered, and this person has yet to answer it."
    ),
    State.REQUEST_FOR_DETAILS_FAILED: (
        "DfE’s email asking for details did not arrive, so the school needs to check the email address."
    ),
    State.INTERNAL_ERROR: (
        "The check with the TRA did not work for a technical reason, and DfE will try it again."
    ),
    State.CHECKS_NOT_COMPLETE: (
        "DfE has this person’s details, and has yet to decide whether they are eligible."
    ),
    State.DIFFERENT_TRN: (
        "The details match a teacher record with another TRN, and DfE is finding out which one is right."
    ),
    State.TRA_RECORD_NOT_FOUND: (
        "DfE found no teacher record that matches the details given, so this person needs to check them and "
        "send them again."
    ),
    State.ACTIVE_FLAGS: "DfE is checking this person’s record by hand, and needs nothing from you.",
    State.NO_INDUCTION_START: (
        "The TRA has no start date for this person’s induction, and the appropriate body needs to record it."
    ),
    State.DUPLICATE_PROFILE: (
        "This person is registered more than once, and DfE funds training for the other registration only."
    ),
    State.NOT_ALLOWED: (
        "DfE checked this person’s record by hand and decided that they are not eligible for funded training."
    ),
    State.EXEMPT_FROM_INDUCTION: (
        "The TRA records this person as exempt from induction, so DfE does not fund training for them."
    ),
    State.PREVIOUS_INDUCTION: (
        "The TRA records an earlier induction of this person, so DfE does not fund training for this one."
    ),
    State.ACTIVE_MENTORING_ERO: (
        "This mentor is mentoring now, but had the training in its early roll-out and is not funded again."
    ),
    State.NOT_YET_MENTORING_ERO: (
        "This mentor had the training in its early roll-out, and is not funded again."
    ),
    State.NOT_QUALIFIED: (
        "The TRA has yet to record this person’s QTS, and DfE looks again by itself until it is there."
    ),
    State.REGISTERED_FOR_FIP_NO_PARTNER: (
        "This person can be trained, and the school has yet to confirm which lead provider will do it."
    ),
    State.REGISTERED_FOR_FIP_TRAINING: (
        "This person can be trained by the lead provider, and the start of their induction is awaited."
    ),
    State.REGISTERED_FOR_CIP_TRAINING: (
        "This person can be trained by their school with accredited materials, and the start of their "
        "induction is awaited."
    ),
    State.REGISTERED_FOR_DIY_TRAINING: (
        "This person can be trained by their school with its own materials, and the start of their induction "
        "is awaited."
    ),
    State.ACTIVE_FIP_TRAINING: "This person has started induction and is trained by the lead provider.",
    State.ACTIVE_CIP_TRAINING: (
        "This person has started induction and is trained by their school with accredited materials."
    ),
    State.ACTIVE_DIY_TRAINING: (
        "This person has started induction and is trained by their school with its own materials."
    ),
    State.ACTIVE_MENTORING: "This person can be trained as a mentor, and is mentoring an ECT now.",
    State.NOT_YET_MENTORING: (
        "This person can be trained as a mentor, and the school has no ECT assigned to them at present."
    ),
    State.LEAVING: "The school reported that this person will leave it on a date to come.",
    State.JOINING: "This person is changing schools and has yet to start at the new one.",
    State.DEFERRED_TRAINING: (
        "The lead provider or the school reported a pause, and the training goes on when its end is reported."
    ),
    State.WITHDRAWN_TRAINING: "The lead provider or the school reported that this person’s training ended.",
    State.WITHDRAWN_PROGRAMME: "The school took this person off the programme.",
    State.LEFT: "This person has left the school.",
    State.NO_LONGER_INVOLVED: (
        "The school changed this person’s registration, and this part of it has ended."
    ),
    State.NOT_REGISTERED_FOR_TRAINING: (
        "The school has not registered this person for training that DfE funds or accredits."
    ),
    State.COMPLETED_TRAINING: (
        "The appropriate body told the TRA that this person completed induction, and nothing more is awaited."
    ),
}


def explanation(status: Status) -> str:
    """Return what a status means, in one sentence."""
    return EXPLANATIONS[status]


def reason(state: State) -> str:
    """Return why somebody has their status, and what is awaited from whom, in one sentence."""
    return REASONS[state]

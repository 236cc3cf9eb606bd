"""Which state an induction record is in, and the rule that says so.

The rules are data: ordered lists, in each of which the first rule that applies wins. Where they are odd they
are kept odd, because we show what DfE would show.
Source: docs/domain.md, section "Status"; the names T1 to M5 are those used there.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from services.participants.domain.facts import Eligibility
from services.participants.domain.status import State, Status
from shared.contracts.manage_ects import (
    EligibilityReason,
    EligibilityStatus,
    EmailStatus,
    InductionStatus,
    ParticipantRole,
    Programme,
    TrainingStatus,
)

# The members that the rules compare with, bound once: to look one up costs more than the comparison.
_ECT, _MENTOR = ParticipantRole.ECT, ParticipantRole.MENTOR
_ACTIVE, _CHANGED, _LEAVING = InductionStatus.ACTIVE, InductionStatus.CHANGED, InductionStatus.LEAVING
_WITHDRAWN, _COMPLETED = InductionStatus.WITHDRAWN, InductionStatus.COMPLETED
_TRAINING_WITHDRAWN, _TRAINING_DEFERRED = TrainingStatus.WITHDRAWN, TrainingStatus.DEFERRED
_FULL, _CORE, _OWN = Programme.FULL, Programme.CORE, Programme.DESIGN_OUR_OWN
_ELIGIBLE, _MANUAL = EligibilityStatus.ELIGIBLE, EligibilityStatus.MANUAL_CHECK
_INELIGIBLE, _EARLY_ROLL_OUT = EligibilityStatus.INELIGIBLE, EligibilityReason.PREVIOUS_PARTICIPATION


class DetailsGiven(NamedTuple):
    """What the person's answer to DfE was like. Their TRN itself is nothing to the decision."""

    trn_given: bool
    api_failure: bool


class StatusInputs(NamedTuple):
    """All that the decision looks at: of the participant, of one induction record, of a mentor's ECTs.

    Dates are reduced to how they stand to today, so that there are finitely many of these, and a decision
    made once can be remembered.

    has_trn: a validated one. induction_started: its date is before today. starts_later: the record, after
    today. ended: the record; None without an end date, false while it is after today. has_lead_provider: the
    record's partnership is known, and so names one. ever_mentored, mentoring_now: see `mentoring`.
    """

    role: ParticipantRole
    has_trn: bool
    details: DetailsGiven | None
    details_request: EmailStatus | None
    eligibility: Eligibility | None
    induction_started: bool
    induction_status: InductionStatus
    training_status: TrainingStatus
    starts_later: bool
    ended: bool | None
    school_transfer: bool
    programme: Programme | None
    has_lead_provider: bool
    ever_mentored: bool
    mentoring_now: bool


@dataclass(frozen=True, slots=True)
class Decision:
    state: State
    rule: str

    @property
    def status(self) -> Status:
        return self.state.status


class Rule(NamedTuple):
    """When it applies, the record is in this state. No state: nothing stands in the way, ask no further."""

    name: str
    state: State | None
    applies: Callable[[StatusInputs], bool]


def decide_status(inputs: StatusInputs) -> Decision:
    """Return the state that DfE shows, with the rule that decided it.

    Raises nothing: every input has exactly one state, and so one status.
    """
    ect = inputs.role is _ECT
    training = _first(TRAINING, inputs) or NOT_REGISTERED
    if inputs.induction_status is _WITHDRAWN:
        return training
    if ect and training.state in OUTWEIGHS_CHECKS:
        return training
    found = _first(VALIDATION, inputs) or _first(ELIGIBILITY, inputs)
    if found is None and ect and inputs.programme is _FULL:
        found = _first(FUNDING, inputs)
    if found is None and not ect:
        found = _first(MENTORING, inputs)
    return found or training


def _first(rules: tuple[Rule, ...], inputs: StatusInputs) -> Decision | None:
    for name, state, applies in rules:
        if applies(inputs):
            return None if state is None else Decision(state, name)
    return None


def _leaving(i: StatusInputs) -> bool:
    return i.induction_status is _LEAVING and i.ended is False


def _left(i: StatusInputs) -> bool:
    return i.induction_status is _LEAVING and i.ended is True


def _joining(i: StatusInputs) -> bool:
    return i.induction_status is _ACTIVE and i.school_transfer and i.starts_later


def _on(programme: Programme) -> Callable[[StatusInputs], bool]:
    return lambda i: i.programme is programme


def _started_on(programme: Programme) -> Callable[[StatusInputs], bool]:
    return lambda i: i.programme is programme and i.induction_started


def _details_not_given(i: StatusInputs) -> bool:
    return i.details is None and not i.has_trn


def _asked(email: EmailStatus) -> Callable[[StatusInputs], bool]:
    return lambda i: i.details_request is email and _details_not_given(i)


def _judged(status: EligibilityStatus, reason: EligibilityReason) -> Callable[[StatusInputs], bool]:
    return lambda i: (
        i.eligibility is not None and i.eligibility.reason is reason and i.eligibility.status is status
    )


def _early_roll_out(i: StatusInputs) -> bool:
    """For this reason alone the eligibility's status does not count."""
    return i.eligibility is not None and i.eligibility.reason is _EARLY_ROLL_OUT


def _mentoring(i: StatusInputs) -> bool:
    return i.mentoring_now and not _left(i)


TRAINING = (
    Rule("T1", State.NO_LONGER_INVOLVED, lambda i: i.induction_status is _CHANGED),
    Rule("T2", State.LEAVING, _leaving),
    Rule("T3", State.LEFT, _left),
    Rule("T4", State.JOINING, _joining),
    Rule("T5", State.WITHDRAWN_PROGRAMME, lambda i: i.induction_status is _WITHDRAWN),
    Rule("T6", State.WITHDRAWN_TRAINING, lambda i: i.training_status is _TRAINING_WITHDRAWN),
    Rule("T7", State.DEFERRED_TRAINING, lambda i: i.training_status is _TRAINING_DEFERRED),
    Rule("T8", State.COMPLETED_TRAINING, lambda i: i.induction_status is _COMPLETED),
    Rule(
        "T9",
        State.REGISTERED_FOR_FIP_NO_PARTNER,
        lambda i: i.programme is _FULL and not i.has_lead_provider,
    ),
    Rule("T10", State.ACTIVE_FIP_TRAINING, _started_on(_FULL)),
    Rule("T10", State.ACTIVE_CIP_TRAINING, _started_on(_CORE)),
    Rule("T10", State.ACTIVE_DIY_TRAINING, _started_on(_OWN)),
    Rule("T10", State.REGISTERED_FOR_FIP_TRAINING, _on(_FULL)),
    Rule("T10", State.REGISTERED_FOR_CIP_TRAINING, _on(_CORE)),
    Rule("T10", State.REGISTERED_FOR_DIY_TRAINING, _on(_OWN)),
)
"""How the training stands, as schools and lead providers reported it."""

NOT_REGISTERED = Decision(State.NOT_REGISTERED_FOR_TRAINING, "T11")

OUTWEIGHS_CHECKS = frozenset(
    {
        State.WITHDRAWN_TRAINING,
        State.DEFERRED_TRAINING,
        State.COMPLETED_TRAINING,
        State.JOINING,
        State.LEAVING,
        State.LEFT,
    }
)
"""For an ECT these hide whatever the checks found. NO_LONGER_INVOLVED is not among them, odd as that is."""

VALIDATION = (
    Rule("V1", State.DIFFERENT_TRN, _judged(_MANUAL, EligibilityReason.DIFFERENT_TRN)),
    Rule("V2", State.REQUEST_FOR_DETAILS_DELIVERED, _asked(EmailStatus.DELIVERED)),
    Rule("V2", State.REQUEST_FOR_DETAILS_FAILED, _asked(EmailStatus.FAILED)),
    Rule("V2", State.REQUEST_FOR_DETAILS_SUBMITTED, _asked(EmailStatus.SUBMITTED)),
    Rule("V3", State.VALIDATION_NOT_STARTED, _details_not_given),
    Rule("V4", State.INTERNAL_ERROR, lambda i: i.details is not None and i.details.api_failure),
    Rule("V5", State.TRA_RECORD_NOT_FOUND, lambda i: i.role is _ECT and not i.has_trn),
    Rule(
        "V6",
        State.TRA_RECORD_NOT_FOUND,
        lambda i: i.details is not None and i.details.trn_given and not i.has_trn,
    ),
)
"""Whether DfE has the details, and found the person's record at the TRA by them."""

ELIGIBILITY = (
    Rule(
        "E1",
        State.CHECKS_NOT_COMPLETE,
        lambda i: i.eligibility is None and (i.has_trn or i.role is _ECT),
    ),
    Rule("E2", State.ACTIVE_FLAGS, _judged(_MANUAL, EligibilityReason.ACTIVE_FLAGS)),
    Rule("E3", State.NOT_ALLOWED, _judged(_INELIGIBLE, EligibilityReason.ACTIVE_FLAGS)),
    Rule("E4", None, lambda i: i.role is _MENTOR and i.ever_mentored),
    Rule("E5", State.NOT_YET_MENTORING, lambda i: i.role is _MENTOR),
    Rule("E6", State.DUPLICATE_PROFILE, _judged(_INELIGIBLE, EligibilityReason.DUPLICATE_PROFILE)),
    Rule("E7", State.NOT_QUALIFIED, _judged(_MANUAL, EligibilityReason.NO_QTS)),
    Rule("E8", State.EXEMPT_FROM_INDUCTION, _judged(_INELIGIBLE, EligibilityReason.EXEMPT_FROM_INDUCTION)),
    Rule("E9", State.PREVIOUS_INDUCTION, _judged(_INELIGIBLE, EligibilityReason.PREVIOUS_INDUCTION)),
)
"""What DfE decided about the person."""

FUNDING = (
    Rule(
        "F1",
        None,
        lambda i: i.eligibility is not None and i.eligibility.status is _ELIGIBLE,
    ),
    Rule("F2", State.NO_INDUCTION_START, _judged(_MANUAL, EligibilityReason.NO_INDUCTION)),
)
"""What only an ECT on the full programme needs. The original repeats ELIGIBILITY here, which by then has
nothing left to say."""

MENTORING = (
    Rule("M1", State.ACTIVE_MENTORING_ERO, lambda i: _mentoring(i) and _early_roll_out(i)),
    Rule("M2", State.ACTIVE_MENTORING, _mentoring),
    Rule("M3", State.NOT_YET_MENTORING_ERO, _early_roll_out),
    Rule("M4", State.LEFT, _left),
    Rule("M5", State.NOT_YET_MENTORING, lambda i: True),
)
"""How a mentor whom the checks let pass stands with their ECTs."""

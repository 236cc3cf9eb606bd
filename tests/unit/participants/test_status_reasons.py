"""The state of a record says why: each rule of docs/domain.md, section "Status", and the oddities kept."""

import pytest

from services.participants.domain.decision import DetailsGiven, StatusInputs, decide_status
from services.participants.domain.status import State
from shared.contracts.manage_ects import EmailStatus, InductionStatus, Programme, TrainingStatus
from tests.unit.participants.status_cases import ect, judged, mentor

ACTIVE, CHANGED, LEAVING = InductionStatus.ACTIVE, InductionStatus.CHANGED, InductionStatus.LEAVING
COMPLETED, WITHDRAWN = InductionStatus.COMPLETED, InductionStatus.WITHDRAWN
DEFERRED = TrainingStatus.DEFERRED
UNKNOWN_PERSON = {"details": None, "has_trn": False}
ERO = judged("ineligible", "previous_participation")

RULES: list[tuple[str, StatusInputs, State]] = [
    ("T1", ect(induction_status=CHANGED), State.NO_LONGER_INVOLVED),
    ("T2", ect(induction_status=LEAVING, ended=False), State.LEAVING),
    ("T3", ect(induction_status=LEAVING, ended=True), State.LEFT),
    ("T4", ect(school_transfer=True, starts_later=True), State.JOINING),
    ("T5", ect(induction_status=WITHDRAWN), State.WITHDRAWN_PROGRAMME),
    ("T5", mentor(induction_status=WITHDRAWN), State.WITHDRAWN_PROGRAMME),
    ("T6", ect(training_status=TrainingStatus.WITHDRAWN), State.WITHDRAWN_TRAINING),
    ("T7", ect(training_status=DEFERRED), State.DEFERRED_TRAINING),
    ("T8", ect(induction_status=COMPLETED), State.COMPLETED_TRAINING),
    ("T9", ect(has_lead_provider=False), State.REGISTERED_FOR_FIP_NO_PARTNER),
    ("T10", ect(), State.ACTIVE_FIP_TRAINING),
    ("T10", ect(programme=Programme.CORE), State.ACTIVE_CIP_TRAINING),
    ("T10", ect(programme=Programme.DESIGN_OUR_OWN), State.ACTIVE_DIY_TRAINING),
    ("T10", ect(induction_started=False), State.REGISTERED_FOR_FIP_TRAINING),
    ("T10", ect(induction_started=False, programme=Programme.CORE), State.REGISTERED_FOR_CIP_TRAINING),
    (
        "T10",
        ect(induction_started=False, programme=Programme.DESIGN_OUR_OWN),
        State.REGISTERED_FOR_DIY_TRAINING,
    ),
    ("T11", ect(programme=Programme.SCHOOL_FUNDED), State.NOT_REGISTERED_FOR_TRAINING),
    ("T11", ect(programme=None), State.NOT_REGISTERED_FOR_TRAINING),
    ("V1", ect(eligibility=judged("manual_check", "different_trn"), **UNKNOWN_PERSON), State.DIFFERENT_TRN),
    (
        "V2",
        ect(details_request=EmailStatus.DELIVERED, **UNKNOWN_PERSON),
        State.REQUEST_FOR_DETAILS_DELIVERED,
    ),
    ("V2", ect(details_request=EmailStatus.FAILED, **UNKNOWN_PERSON), State.REQUEST_FOR_DETAILS_FAILED),
    (
        "V2",
        mentor(details_request=EmailStatus.SUBMITTED, **UNKNOWN_PERSON),
        State.REQUEST_FOR_DETAILS_SUBMITTED,
    ),
    ("V3", ect(**UNKNOWN_PERSON), State.VALIDATION_NOT_STARTED),
    ("V4", ect(details=DetailsGiven(trn_given=True, api_failure=True)), State.INTERNAL_ERROR),
    (
        "V5",
        ect(details=DetailsGiven(trn_given=False, api_failure=False), has_trn=False),
        State.TRA_RECORD_NOT_FOUND,
    ),
    ("V6", mentor(has_trn=False), State.TRA_RECORD_NOT_FOUND),
    ("E1", ect(eligibility=None), State.CHECKS_NOT_COMPLETE),
    ("E1", mentor(eligibility=None), State.CHECKS_NOT_COMPLETE),
    ("E2", mentor(eligibility=judged("manual_check", "active_flags")), State.ACTIVE_FLAGS),
    ("E3", mentor(eligibility=judged("ineligible", "active_flags")), State.NOT_ALLOWED),
    ("E5", mentor(ever_mentored=False, mentoring_now=False), State.NOT_YET_MENTORING),
    ("E6", ect(eligibility=judged("ineligible", "duplicate_profile")), State.DUPLICATE_PROFILE),
    ("E7", ect(eligibility=judged("manual_check", "no_qts")), State.NOT_QUALIFIED),
    ("E8", ect(eligibility=judged("ineligible", "exempt_from_induction")), State.EXEMPT_FROM_INDUCTION),
    ("E9", ect(eligibility=judged("ineligible", "previous_induction")), State.PREVIOUS_INDUCTION),
    ("F2", ect(eligibility=judged("manual_check", "no_induction")), State.NO_INDUCTION_START),
    ("M1", mentor(eligibility=ERO), State.ACTIVE_MENTORING_ERO),
    ("M2", mentor(), State.ACTIVE_MENTORING),
    ("M3", mentor(eligibility=ERO, mentoring_now=False), State.NOT_YET_MENTORING_ERO),
    ("M4", mentor(induction_status=LEAVING, ended=True), State.LEFT),
    ("M5", mentor(mentoring_now=False), State.NOT_YET_MENTORING),
]


@pytest.mark.parametrize(
    ("rule", "inputs", "state"), RULES, ids=[f"{rule} {state}" for rule, _, state in RULES]
)
def test_each_rule_gives_its_state_and_says_that_it_did(
    rule: str, inputs: StatusInputs, state: State
) -> None:
    decision = decide_status(inputs)
    assert (decision.rule, decision.state) == (rule, state)


def test_the_cases_reach_every_state() -> None:
    assert {state for _, _, state in RULES} == set(State)


# --- oddities that are kept (docs/domain.md, "Oddities") --------------------------------------------


@pytest.mark.parametrize("training_status", [TrainingStatus.DEFERRED, TrainingStatus.WITHDRAWN])
def test_a_mentor_is_never_deferred_nor_withdrawn_from_training(training_status: TrainingStatus) -> None:
    assert decide_status(mentor(training_status=training_status)).state is State.ACTIVE_MENTORING


def test_a_mentor_never_completes_an_induction() -> None:
    assert decide_status(mentor(induction_status=COMPLETED)).state is State.ACTIVE_MENTORING


@pytest.mark.parametrize(
    "who",
    [{"eligibility": ERO}, {"induction_status": LEAVING, "ended": True}],
    ids=["early roll-out", "left"],
)
def test_a_mentor_whom_no_record_ever_named_is_in_training_whatever_else_holds(
    who: dict[str, object],
) -> None:
    never_named = mentor(ever_mentored=False, mentoring_now=False, **who)
    assert decide_status(never_named).state is State.NOT_YET_MENTORING


def test_a_changed_record_may_still_read_as_being_checked() -> None:
    assert decide_status(ect(induction_status=CHANGED, eligibility=None)).state is State.CHECKS_NOT_COMPLETE


def test_a_deferral_on_a_changed_record_is_not_shown() -> None:
    changed = ect(induction_status=CHANGED, training_status=DEFERRED)
    assert decide_status(changed).state is State.NO_LONGER_INVOLVED


@pytest.mark.parametrize(
    ("training_status", "state"),
    [
        (TrainingStatus.WITHDRAWN, State.WITHDRAWN_TRAINING),
        (TrainingStatus.DEFERRED, State.DEFERRED_TRAINING),
    ],
)
def test_withdrawn_or_deferred_training_hides_a_completed_induction(
    training_status: TrainingStatus, state: State
) -> None:
    finished = ect(induction_status=COMPLETED, training_status=training_status)
    assert decide_status(finished).state is state


@pytest.mark.parametrize(
    "problem",
    [
        {"training_status": TrainingStatus.WITHDRAWN},
        {"training_status": DEFERRED},
        UNKNOWN_PERSON,
        {"eligibility": judged("ineligible", "active_flags")},
    ],
    ids=["withdrawn", "deferred", "no TRN", "failed checks"],
)
def test_leaving_later_or_joining_hides_every_other_problem(problem: dict[str, object]) -> None:
    leaving = ect(induction_status=LEAVING, ended=False, **problem)
    joining = ect(school_transfer=True, starts_later=True, **problem)
    assert decide_status(leaving).state is State.LEAVING
    assert decide_status(joining).state is State.JOINING


def test_leaving_without_an_end_date_counts_as_staying() -> None:
    assert decide_status(ect(induction_status=LEAVING)).state is State.ACTIVE_FIP_TRAINING


@pytest.mark.parametrize("reason", ["previous_participation", "none", "no_qts"])
def test_an_ect_ineligible_for_a_reason_that_no_rule_knows_is_in_training(reason: str) -> None:
    assert decide_status(ect(eligibility=judged("ineligible", reason))).state is State.ACTIVE_FIP_TRAINING


def test_an_ect_matched_only_is_in_training() -> None:
    assert decide_status(ect(eligibility=judged("matched", "none"))).state is State.ACTIVE_FIP_TRAINING


def test_an_ect_without_recorded_induction_is_checked_on_the_full_programme_only() -> None:
    no_induction = judged("manual_check", "no_induction")
    core = ect(programme=Programme.CORE, eligibility=no_induction)
    assert decide_status(core).state is State.ACTIVE_CIP_TRAINING


def test_a_mentor_without_trn_who_gave_none_needs_no_checks() -> None:
    gave_none = mentor(
        details=DetailsGiven(trn_given=False, api_failure=False), has_trn=False, eligibility=None
    )
    assert decide_status(gave_none).state is State.ACTIVE_MENTORING


def test_an_early_roll_out_mentor_counts_as_such_though_found_eligible() -> None:
    eligible = mentor(eligibility=judged("eligible", "previous_participation"))
    assert decide_status(eligible).state is State.ACTIVE_MENTORING_ERO

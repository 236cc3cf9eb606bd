"""The eight statuses are those of the flattened table of docs/domain.md: row by row, and for everybody."""

from collections.abc import Iterator
from itertools import chain, cycle, product

import pytest

from services.participants.domain.decision import DetailsGiven, StatusInputs, decide_status
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
from tests.unit.participants import flattened_table as table
from tests.unit.participants.status_cases import ect, judged, mentor

LEAVING, CHANGED = InductionStatus.LEAVING, InductionStatus.CHANGED
GAVE_TRN = DetailsGiven(trn_given=True, api_failure=False)
GAVE_NO_TRN = DetailsGiven(trn_given=False, api_failure=False)
TRA_DOWN = DetailsGiven(trn_given=True, api_failure=True)

ROWS: list[tuple[int, str, StatusInputs, str]] = [
    (1, "ect", ect(induction_status=InductionStatus.WITHDRAWN), table.ENDED),
    (1, "mentor", mentor(induction_status=InductionStatus.WITHDRAWN), table.ENDED),
    (2, "leaves later", ect(induction_status=LEAVING, ended=False), table.TRAINING),
    (3, "left", ect(induction_status=LEAVING, ended=True), table.ENDED),
    (4, "starts later", ect(school_transfer=True, starts_later=True), table.TRAINING),
    (5, "withdrawn", ect(training_status=TrainingStatus.WITHDRAWN), table.ENDED),
    (6, "deferred", ect(training_status=TrainingStatus.DEFERRED), table.DEFERRED),
    (7, "completed", ect(induction_status=InductionStatus.COMPLETED), table.COMPLETED),
    (8, "ect", ect(eligibility=judged("manual_check", "different_trn")), table.CHECKING),
    (8, "mentor", mentor(eligibility=judged("manual_check", "different_trn")), table.CHECKING),
    (9, "ect", ect(details=None, has_trn=False), table.CONTACTED),
    (9, "mentor", mentor(details=None, has_trn=False), table.CONTACTED),
    (10, "ect", ect(details=TRA_DOWN), table.CHECKING),
    (10, "mentor", mentor(details=TRA_DOWN), table.CHECKING),
    (11, "ect who gave none", ect(details=GAVE_NO_TRN, has_trn=False), table.CHECKING),
    (11, "mentor who gave one", mentor(details=GAVE_TRN, has_trn=False), table.CHECKING),
    (12, "ect", ect(eligibility=None), table.CHECKING),
    (12, "mentor with TRN", mentor(eligibility=None), table.CHECKING),
    (13, "ect", ect(eligibility=judged("manual_check", "active_flags")), table.CHECKING),
    (13, "mentor", mentor(eligibility=judged("manual_check", "active_flags")), table.CHECKING),
    (14, "ect", ect(eligibility=judged("ineligible", "active_flags")), table.NOT_ELIGIBLE),
    (14, "mentor", mentor(eligibility=judged("ineligible", "active_flags")), table.NOT_ELIGIBLE),
    (15, "never named", mentor(ever_mentored=False, mentoring_now=False), table.TRAINING),
    (
        16,
        "ineligible",
        mentor(eligibility=judged("ineligible", "previous_participation")),
        table.NOT_ELIGIBLE,
    ),
    (16, "eligible", mentor(eligibility=judged("eligible", "previous_participation")), table.NOT_ELIGIBLE),
    (17, "left", mentor(induction_status=LEAVING, ended=True), table.ENDED),
    (18, "mentoring", mentor(), table.TRAINING),
    (18, "not now", mentor(mentoring_now=False), table.TRAINING),
    (19, "duplicate", ect(eligibility=judged("ineligible", "duplicate_profile")), table.NOT_ELIGIBLE),
    (19, "exempt", ect(eligibility=judged("ineligible", "exempt_from_induction")), table.NOT_ELIGIBLE),
    (19, "earlier", ect(eligibility=judged("ineligible", "previous_induction")), table.NOT_ELIGIBLE),
    (20, "no QTS", ect(eligibility=judged("manual_check", "no_qts")), table.QTS),
    (21, "no induction", ect(eligibility=judged("manual_check", "no_induction")), table.CHECKING),
    (22, "changed", ect(induction_status=CHANGED), table.ENDED),
    (23, "full", ect(programme=Programme.FULL), table.TRAINING),
    (23, "core", ect(programme=Programme.CORE), table.TRAINING),
    (23, "own", ect(programme=Programme.DESIGN_OUR_OWN), table.TRAINING),
    (24, "school funded", ect(programme=Programme.SCHOOL_FUNDED), table.ENDED),
    (24, "no programme", ect(programme=None), table.ENDED),
]


@pytest.mark.parametrize(
    ("row", "who", "inputs", "status"), ROWS, ids=[f"row {row}: {who}" for row, who, _, _ in ROWS]
)
def test_each_row_of_the_table_gives_its_status(
    row: int, who: str, inputs: StatusInputs, status: str
) -> None:
    assert table.row_and_status(inputs) == (row, status), f"{who} is no case of row {row}"
    assert decide_status(inputs).status == status


def test_the_cases_cover_all_rows_of_the_table() -> None:
    assert {row for row, *_ in ROWS} == set(range(1, 25))


def test_everybody_has_the_one_status_that_the_table_gives_them() -> None:
    """All combinations of what the table looks at for ECTs and for mentors; all else takes turns beside."""
    rows_met: set[int] = set()
    combinations = 0
    for inputs in _everybody():
        row, status = table.row_and_status(inputs)
        assert decide_status(inputs).status == status, (row, inputs)
        rows_met.add(row)
        combinations += 1
    assert combinations == 2 * 4 * 37 * (675 + 2 * 135)
    assert rows_met == set(range(1, 25))


def _everybody() -> Iterator[StatusInputs]:
    # The turns are of lengths that have no divisor in common, so each meets all that is beside it.
    email_turns = cycle([*EmailStatus, None, None, None, None])
    programme_turns = cycle([None, *Programme, *Programme, None, None])
    trn_turns, started_turns = _turns(6, 7), _turns(8, 9)
    provider_turns, mentoring_turns = _turns(9, 10), _turns(11, 12)
    ever_turns, later_turns = _turns(14, 15), _turns(15, 16)
    judgements = [Eligibility(*judgement) for judgement in product(EligibilityStatus, EligibilityReason)]
    people = list(product((True, False), ("none", "no TRN", "TRN", "failed"), [None, *judgements]))
    record = (InductionStatus, TrainingStatus, ["past", "future", "no transfer"], [None, True, False])
    mentors = product([ParticipantRole.MENTOR], people, (True, False), product(*record, ["any"]))
    ects = product([ParticipantRole.ECT], people, (None,), product(*record, [None, *Programme]))
    for role, (has_trn, answer, eligibility), ever, (induction, training, start, ended, programme) in chain(
        ects, mentors
    ):
        details = DetailsGiven(
            trn_given=next(trn_turns) if answer == "failed" else answer == "TRN",
            api_failure=answer == "failed",
        )
        yield StatusInputs(
            role=role,
            has_trn=has_trn,
            details=None if answer == "none" else details,
            details_request=next(email_turns),
            eligibility=eligibility,
            induction_started=next(started_turns),
            induction_status=induction,
            training_status=training,
            starts_later=next(later_turns) if start == "no transfer" else start == "future",
            ended=ended,
            school_transfer=start != "no transfer",
            programme=next(programme_turns) if programme == "any" else programme,
            has_lead_provider=next(provider_turns),
            ever_mentored=next(ever_turns) if ever is None else ever,
            mentoring_now=next(mentoring_turns),
        )


def _turns(yes: int, no: int) -> Iterator[bool]:
    return cycle([True] * yes + [False] * no)


def test_every_state_reads_as_exactly_one_status_and_every_status_has_a_state() -> None:
    assert {state.status for state in State} == set(Status)
    assert len(State) == 35
    assert len({status.label for status in Status}) == len(Status) == 8

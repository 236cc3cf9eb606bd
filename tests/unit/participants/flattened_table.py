"""The oracle: the flattened decision table of docs/domain.md, typed in row by row, sharing no rule with the
code under test. It knows statuses only, no reasons."""

from services.participants.domain.decision import StatusInputs

TRAINING = "training_or_eligible_for_training"
CHECKING = "dfe_checking_eligibility"
NOT_ELIGIBLE = "not_eligible_for_funded_training"
ENDED = "no_longer_being_trained"
DEFERRED = "participant_deferred"
COMPLETED = "induction_completed"
CONTACTED = "contacted_for_information"
QTS = "checking_qts"


def row_and_status(i: StatusInputs) -> tuple[int, str]:
    """Return the number of the first row that matches, and its status."""
    is_ect = i.role == "ect"
    is_mentor = not is_ect
    induction = i.induction_status
    training = i.training_status
    programme = i.programme
    judged = (i.eligibility.status, i.eligibility.reason) if i.eligibility else ("", "")
    end_ahead = i.ended is not None and not i.ended
    end_past = i.ended is not None and i.ended
    gave_data = i.details is not None

    if induction == "withdrawn":
        return 1, ENDED
    if is_ect and induction == "leaving" and end_ahead:
        return 2, TRAINING
    if is_ect and induction == "leaving" and end_past:
        return 3, ENDED
    if is_ect and induction == "active" and i.school_transfer and i.starts_later:
        return 4, TRAINING
    if is_ect and induction != "changed" and training == "withdrawn":
        return 5, ENDED
    if is_ect and induction != "changed" and training == "deferred":
        return 6, DEFERRED
    if is_ect and induction == "completed":
        return 7, COMPLETED
    if judged == ("manual_check", "different_trn"):
        return 8, CHECKING
    if not gave_data and not i.has_trn:
        return 9, CONTACTED
    if i.details is not None and i.details.api_failure:
        return 10, CHECKING
    if not i.has_trn and (is_ect or (i.details is not None and i.details.trn_given)):
        return 11, CHECKING
    if i.eligibility is None and (is_ect or i.has_trn):
        return 12, CHECKING
    if judged == ("manual_check", "active_flags"):
        return 13, CHECKING
    if judged == ("ineligible", "active_flags"):
        return 14, NOT_ELIGIBLE
    if is_mentor and not i.ever_mentored:
        return 15, TRAINING
    if is_mentor and judged[1] == "previous_participation":
        return 16, NOT_ELIGIBLE
    if is_mentor and induction == "leaving" and end_past:
        return 17, ENDED
    if is_mentor:
        return 18, TRAINING
    if judged[0] == "ineligible" and judged[1] in (
        "duplicate_profile",
        "exempt_from_induction",
        "previous_induction",
    ):
        return 19, NOT_ELIGIBLE
    if judged == ("manual_check", "no_qts"):
        return 20, QTS
    if programme == "full" and judged == ("manual_check", "no_induction"):
        return 21, CHECKING
    if induction == "changed":
        return 22, ENDED
    if programme in ("full", "core", "design_our_own"):
        return 23, TRAINING
    return 24, ENDED

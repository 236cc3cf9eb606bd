"""How a record stands at a moment: what is known, reduced to what the decision looks at."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from uuid import UUID

from services.participants.domain.decision import Decision, DetailsGiven, StatusInputs, decide_status
from services.participants.domain.facts import InductionRecord, Participant, Partnership
from services.participants.domain.london import london_day
from services.participants.domain.mentoring import Naming, ever_mentored, mentoring_now
from shared.contracts.manage_ects import ParticipantRole

_decide = lru_cache(maxsize=65_536)(decide_status)
"""People differ in far fewer ways than there are people; remembered, a decision costs a third."""


def decide_for(
    participant: Participant,
    record: InductionRecord,
    partnerships: Mapping[UUID, Partnership],
    named: Sequence[Naming],
    at: datetime,
) -> Decision:
    """Return how one record of a participant stands at a moment.

    Days are those of England. A record ends and starts on the day itself; an induction has started the day
    after. Raises ValueError for a participant who is not registered: nothing is shown of it.
    """
    if participant.registration is None:
        raise ValueError("a participant who is not registered has no role, and so no status")
    today = london_day(at)
    role = participant.registration.role
    mentor = role is ParticipantRole.MENTOR
    validation = participant.validation
    details = None if validation is None else DetailsGiven(validation.trn is not None, validation.api_failure)
    induction_start = participant.induction_start_date
    return _decide(
        StatusInputs(
            role,
            participant.trn is not None,
            details,
            participant.details_request,
            participant.eligibility,
            induction_start is not None and induction_start < today,
            record.induction_status,
            record.training_status,
            record.start_date > today,
            None if record.end_date is None else record.end_date <= today,
            record.school_transfer,
            record.programme,
            record.partnership_id in partnerships,
            mentor and ever_mentored(named, at),
            mentor and mentoring_now(named, at),
        )
    )

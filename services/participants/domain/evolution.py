"""What an event makes of what is known of a participant.

The order within a subject is given by the source, so an event that speaks of something which was not
registered or opened yet needs no memory of its own: the later registration or opening states everything anew.
What neither states (a TRN, an eligibility) is kept from the start.

One function for each event, found by its type: to ask a contract `isinstance` a dozen times, as `match` does,
takes four times as long, and a row is made of a dozen events.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import singledispatch
from uuid import UUID

from services.participants.domain.facts import (
    Eligibility,
    InductionRecord,
    Participant,
    Registration,
    Validation,
)
from shared.contracts.manage_ects import (
    AppropriateBodyAssigned,
    DetailsRequested,
    EligibilityDetermined,
    InductionCompleted,
    InductionRecordClosed,
    InductionRecordOpened,
    InductionStartRecorded,
    InductionStatus,
    MentorAssigned,
    ParticipantDetailsChanged,
    ParticipantEvent,
    ParticipantRegistered,
    ParticipantRemoved,
    PreferredEmailChanged,
    TrainingDeferred,
    TrainingResumed,
    TrainingStatus,
    TrainingWithdrawn,
    TrnValidated,
    ValidationDataReceived,
)


def evolve_participant(participant: Participant | None, event: ParticipantEvent) -> Participant:
    """Return what is known after one more event about this participant.

    A repeated registration or opening replaces what it states; a record keeps its place in the order.
    Raises TypeError for an event that nothing here was written for: a bug, not bad input.
    """
    known = Participant(event.participant_id) if participant is None else participant
    return known if known.removed else _evolve(event, known)


@singledispatch
def _evolve(event: ParticipantEvent, known: Participant) -> Participant:
    raise TypeError(f"nothing says what {type(event).__name__} makes of a participant")


@_evolve.register
def _(event: ParticipantRegistered, known: Participant) -> Participant:
    registration = Registration(
        person_id=event.person_id,
        role=event.role,
        full_name=event.full_name,
        email=event.email,
        academic_year=event.academic_year,
        school_id=event.school_id,
    )
    return known._replace(registration=registration, induction_start_date=event.induction_start_date)


@_evolve.register
def _(event: ParticipantDetailsChanged, known: Participant) -> Participant:
    if known.registration is None:
        return known
    changed = replace(known.registration, full_name=event.full_name, email=event.email)
    return known._replace(registration=changed)


@_evolve.register
def _(event: DetailsRequested, known: Participant) -> Participant:
    return known._replace(details_request=event.email_status)


@_evolve.register
def _(event: ValidationDataReceived, known: Participant) -> Participant:
    return known._replace(validation=Validation(event.trn, event.api_failure))


@_evolve.register
def _(event: TrnValidated, known: Participant) -> Participant:
    return known._replace(trn=event.trn)


@_evolve.register
def _(event: EligibilityDetermined, known: Participant) -> Participant:
    return known._replace(eligibility=Eligibility(event.status, event.reason))


@_evolve.register
def _(event: InductionStartRecorded, known: Participant) -> Participant:
    return known._replace(induction_start_date=event.induction_start_date)


@_evolve.register
def _(event: InductionRecordOpened, known: Participant) -> Participant:
    record = InductionRecord(
        induction_record_id=event.induction_record_id,
        programme=event.programme,
        partnership_id=event.partnership_id,
        school_id=event.school_id,
        academic_year=event.academic_year,
        start_date=event.start_date,
        end_date=event.end_date,
        induction_status=event.induction_status,
        training_status=event.training_status,
        school_transfer=event.school_transfer,
        mentor_participant_id=event.mentor_participant_id,
        appropriate_body_id=event.appropriate_body_id,
        preferred_email=event.preferred_email,
    )
    return known._replace(records={**known.records, event.induction_record_id: record})


@_evolve.register
def _(event: InductionRecordClosed, known: Participant) -> Participant:
    return _amend(
        known,
        event.induction_record_id,
        lambda record: record._replace(induction_status=event.induction_status, end_date=event.end_date),
    )


@_evolve.register
def _(event: TrainingDeferred, known: Participant) -> Participant:
    return _train(known, event.induction_record_id, TrainingStatus.DEFERRED)


@_evolve.register
def _(event: TrainingWithdrawn, known: Participant) -> Participant:
    return _train(known, event.induction_record_id, TrainingStatus.WITHDRAWN)


@_evolve.register
def _(event: TrainingResumed, known: Participant) -> Participant:
    return _train(known, event.induction_record_id, TrainingStatus.ACTIVE)


@_evolve.register
def _(event: MentorAssigned, known: Participant) -> Participant:
    return _amend(
        known,
        event.induction_record_id,
        lambda record: record._replace(mentor_participant_id=event.mentor_participant_id),
    )


@_evolve.register
def _(event: AppropriateBodyAssigned, known: Participant) -> Participant:
    return _amend(
        known,
        event.induction_record_id,
        lambda record: record._replace(appropriate_body_id=event.appropriate_body_id),
    )


@_evolve.register
def _(event: PreferredEmailChanged, known: Participant) -> Participant:
    return _amend(
        known,
        event.induction_record_id,
        lambda record: record._replace(preferred_email=event.preferred_email),
    )


@_evolve.register
def _(event: InductionCompleted, known: Participant) -> Participant:
    completed = known._replace(induction_completed_on=event.completed_on)
    return _amend(
        completed,
        event.induction_record_id,
        lambda record: record._replace(induction_status=InductionStatus.COMPLETED),
    )


@_evolve.register
def _(event: ParticipantRemoved, known: Participant) -> Participant:
    return Participant(known.participant_id, removed=True)


def _amend(
    known: Participant, record_id: UUID, change: Callable[[InductionRecord], InductionRecord]
) -> Participant:
    record = known.records.get(record_id)
    if record is None:
        return known
    return known._replace(records={**known.records, record_id: change(record)})


def _train(known: Participant, record_id: UUID, status: TrainingStatus) -> Participant:
    return _amend(known, record_id, lambda record: record._replace(training_status=status))

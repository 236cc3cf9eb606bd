"""What happens to people: each story is a list of happenings of one participant, in order.

A story is told to its end; history.py cuts off what has not happened yet.
Source of the usual sequences: docs/domain.md, "Usual sequences".
"""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from uuid import UUID

from services.manage_ects.domain import names
from services.manage_ects.domain.world import Partnership, School, identity
from shared.contracts import manage_ects as m
from shared.contracts.envelope import PublishedEvent

ELIGIBILITY: tuple[tuple[int, m.EligibilityStatus, m.EligibilityReason], ...] = (
    (80, m.EligibilityStatus.ELIGIBLE, m.EligibilityReason.NONE),
    (2, m.EligibilityStatus.INELIGIBLE, m.EligibilityReason.ACTIVE_FLAGS),
    (4, m.EligibilityStatus.MANUAL_CHECK, m.EligibilityReason.NO_QTS),
    (2, m.EligibilityStatus.MANUAL_CHECK, m.EligibilityReason.ACTIVE_FLAGS),
    (2, m.EligibilityStatus.INELIGIBLE, m.EligibilityReason.DUPLICATE_PROFILE),
    (2, m.EligibilityStatus.INELIGIBLE, m.EligibilityReason.EXEMPT_FROM_INDUCTION),
    (2, m.EligibilityStatus.MANUAL_CHECK, m.EligibilityReason.DIFFERENT_TRN),
    (2, m.EligibilityStatus.INELIGIBLE, m.EligibilityReason.PREVIOUS_INDUCTION),
    (3, m.EligibilityStatus.MANUAL_CHECK, m.EligibilityReason.NO_INDUCTION),
    (1, m.EligibilityStatus.INELIGIBLE, m.EligibilityReason.NONE),
)
DEFERRAL_REASONS = ("bereavement", "long-term-sickness", "parental-leave", "career-break", "other")
WITHDRAWAL_REASONS = ("left-teaching-profession", "moved-school", "school-left-fip", "other")


@dataclass(frozen=True, slots=True)
class Person:
    """number: unlike any other person's of this world."""

    id: UUID
    name: str
    number: int


@dataclass
class Story:
    """Collects what happens to one participant; time only moves on."""

    seed: int
    participant_id: UUID
    now: datetime
    happenings: list[tuple[datetime, PublishedEvent]] = field(default_factory=list)
    records: int = 0

    def tell(self, event: PublishedEvent, after: timedelta = timedelta(seconds=1)) -> None:
        self.now += after
        self.happenings.append((self.now, event))

    def wait_until(self, moment: datetime) -> None:
        self.now = max(self.now, moment)

    def next_record(self) -> UUID:
        self.records += 1
        return identity(self.seed, "record", self.participant_id, self.records)


@dataclass(frozen=True, slots=True)
class Placement:
    """Where and how somebody is registered."""

    school: School
    partnership: Partnership | None
    academic_year: int
    programme: m.Programme
    mentor: UUID | None = None


def a_moment(rng: Random, day: date) -> datetime:
    """Some time of a working day."""
    return datetime.combine(day, time(7, 30), tzinfo=UTC) + timedelta(seconds=rng.randrange(36_000))


def register(
    story: Story, rng: Random, person: Person, role: m.ParticipantRole, place: Placement, starts: date
) -> m.InductionRecordOpened:
    """The school registers somebody. Returns the record opened."""
    story.tell(
        m.ParticipantRegistered(
            participant_id=story.participant_id,
            person_id=person.id,
            role=role,
            full_name=person.name,
            email=names.email(person.name, person.number),
            academic_year=place.academic_year,
            school_id=place.school.id,
            induction_start_date=starts if role is m.ParticipantRole.ECT and rng.random() < 0.8 else None,
        )
    )
    record = m.InductionRecordOpened(
        participant_id=story.participant_id,
        induction_record_id=story.next_record(),
        programme=place.programme,
        partnership_id=place.partnership.id if place.partnership else None,
        school_id=place.school.id,
        academic_year=place.academic_year,
        start_date=starts,
        end_date=None,
        induction_status=m.InductionStatus.ACTIVE,
        training_status=m.TrainingStatus.ACTIVE,
        school_transfer=False,
        mentor_participant_id=place.mentor,
        appropriate_body_id=place.school.appropriate_body if role is m.ParticipantRole.ECT else None,
        preferred_email=None,
    )
    story.tell(record)
    return record


def check(
    story: Story, rng: Random, person: Person, role: m.ParticipantRole, *, took_part_before: bool = False
) -> bool:
    """DfE asks for details and checks them. Returns whether nothing stands in the way in the end."""
    pid = story.participant_id
    story.tell(m.DetailsRequested(participant_id=pid, email_status=m.EmailStatus.SUBMITTED))
    failed = rng.random() < 0.04
    story.tell(
        m.DetailsRequested(
            participant_id=pid, email_status=m.EmailStatus.FAILED if failed else m.EmailStatus.DELIVERED
        ),
        timedelta(minutes=3),
    )
    if failed or rng.random() < 0.05:
        return False  # never answers
    if rng.random() < 0.03:
        story.tell(
            m.ValidationDataReceived(participant_id=pid, trn=None, api_failure=True), timedelta(days=2)
        )
        return False
    trn = names.trn(person.number)
    answered = timedelta(hours=rng.randrange(4, 400))
    story.tell(m.ValidationDataReceived(participant_id=pid, trn=trn, api_failure=False), answered)
    if rng.random() < 0.03:
        return False  # no record of the TRA matches
    story.tell(m.TrnValidated(participant_id=pid, trn=trn), timedelta(minutes=1))
    return _determine_eligibility(story, rng, role, took_part_before)


def _determine_eligibility(
    story: Story, rng: Random, role: m.ParticipantRole, took_part_before: bool
) -> bool:
    pid = story.participant_id
    status, reason = _draw_eligibility(rng)
    if took_part_before:
        status, reason = m.EligibilityStatus.INELIGIBLE, m.EligibilityReason.PREVIOUS_PARTICIPATION
    elif role is m.ParticipantRole.MENTOR and reason is not m.EligibilityReason.ACTIVE_FLAGS:
        status, reason = m.EligibilityStatus.ELIGIBLE, m.EligibilityReason.NONE
    story.tell(
        m.EligibilityDetermined(participant_id=pid, status=status, reason=reason),
        timedelta(hours=rng.randrange(1, 48)),
    )
    if status is m.EligibilityStatus.MANUAL_CHECK and rng.random() < 0.6:
        eligible = m.EligibilityStatus.ELIGIBLE, m.EligibilityReason.NONE
        story.tell(
            m.EligibilityDetermined(participant_id=pid, status=eligible[0], reason=eligible[1]),
            timedelta(days=rng.randrange(5, 90)),
        )
        return True
    return status is m.EligibilityStatus.ELIGIBLE or took_part_before


def _draw_eligibility(rng: Random) -> tuple[m.EligibilityStatus, m.EligibilityReason]:
    weights = [weight for weight, _, _ in ELIGIBILITY]
    _, status, reason = rng.choices(ELIGIBILITY, weights)[0]
    return status, reason


def succeed(
    story: Story,
    record: m.InductionRecordOpened,
    at: datetime,
    *,
    closed_as: m.InductionStatus = m.InductionStatus.CHANGED,
    ends: date | None = None,
    **changes: object,
) -> m.InductionRecordOpened:
    """Close a record and open the next one. Returns the new one."""
    story.wait_until(at)
    ends = ends or story.now.date()
    story.tell(
        m.InductionRecordClosed(
            participant_id=story.participant_id,
            induction_record_id=record.induction_record_id,
            induction_status=closed_as,
            end_date=ends,
        )
    )
    opened = record.model_copy(
        update={
            "induction_record_id": story.next_record(),
            "start_date": ends,
            "end_date": None,
            "school_transfer": False,
            **changes,
        }
    )
    story.tell(opened)
    return opened


def defer(
    story: Story, rng: Random, record: m.InductionRecordOpened, at: datetime
) -> m.InductionRecordOpened:
    record = succeed(story, record, at, training_status=m.TrainingStatus.DEFERRED)
    story.tell(
        m.TrainingDeferred(
            participant_id=story.participant_id,
            induction_record_id=record.induction_record_id,
            reason=rng.choice(DEFERRAL_REASONS),
            reported_by=m.ReportedBy.LEAD_PROVIDER,
            happened_on=story.now.date(),
        )
    )
    return record


def resume(story: Story, record: m.InductionRecordOpened, at: datetime) -> m.InductionRecordOpened:
    record = succeed(story, record, at, training_status=m.TrainingStatus.ACTIVE)
    story.tell(
        m.TrainingResumed(
            participant_id=story.participant_id,
            induction_record_id=record.induction_record_id,
            reported_by=m.ReportedBy.LEAD_PROVIDER,
            happened_on=story.now.date(),
        )
    )
    return record


def withdraw(
    story: Story, rng: Random, record: m.InductionRecordOpened, at: datetime
) -> m.InductionRecordOpened:
    record = succeed(story, record, at, training_status=m.TrainingStatus.WITHDRAWN)
    story.tell(
        m.TrainingWithdrawn(
            participant_id=story.participant_id,
            induction_record_id=record.induction_record_id,
            reason=rng.choice(WITHDRAWAL_REASONS),
            reported_by=m.ReportedBy.LEAD_PROVIDER,
            happened_on=story.now.date(),
        )
    )
    return record


def complete(story: Story, record: m.InductionRecordOpened, at: datetime) -> m.InductionRecordOpened:
    record = succeed(
        story,
        record,
        at,
        induction_status=m.InductionStatus.COMPLETED,
        mentor_participant_id=None,
    )
    story.tell(
        m.InductionCompleted(
            participant_id=story.participant_id,
            induction_record_id=record.induction_record_id,
            completed_on=story.now.date(),
        )
    )
    return record


def transfer(
    story: Story, record: m.InductionRecordOpened, at: datetime, to: Placement, joins: date
) -> m.InductionRecordOpened:
    """Reported some time before the joining date."""
    return succeed(
        story,
        record,
        at,
        closed_as=m.InductionStatus.LEAVING,
        ends=joins,
        school_id=to.school.id,
        partnership_id=to.partnership.id if to.partnership else None,
        programme=to.programme,
        school_transfer=True,
        mentor_participant_id=to.mentor,
        appropriate_body_id=to.school.appropriate_body,
    )


def remove_by_school(story: Story, record: m.InductionRecordOpened, at: datetime) -> None:
    story.wait_until(at)
    story.tell(
        m.InductionRecordClosed(
            participant_id=story.participant_id,
            induction_record_id=record.induction_record_id,
            induction_status=m.InductionStatus.WITHDRAWN,
            end_date=story.now.date(),
        )
    )


def assign_mentor(
    story: Story, record: m.InductionRecordOpened, at: datetime, mentor: UUID
) -> m.InductionRecordOpened:
    record = succeed(story, record, at, mentor_participant_id=mentor)
    story.tell(
        m.MentorAssigned(
            participant_id=story.participant_id,
            induction_record_id=record.induction_record_id,
            mentor_participant_id=mentor,
        )
    )
    return record


def prefer_email(
    story: Story, record: m.InductionRecordOpened, at: datetime, address: str
) -> m.InductionRecordOpened:
    record = succeed(story, record, at, preferred_email=address)
    story.tell(
        m.PreferredEmailChanged(
            participant_id=story.participant_id,
            induction_record_id=record.induction_record_id,
            preferred_email=address,
        )
    )
    return record

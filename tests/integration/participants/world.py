"""A small made-up world of Manage ECTs, told as CloudEvents."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from shared.contracts import manage_ects as m
from shared.contracts.envelope import CloudEvent, PublishedEvent

START = datetime(2025, 9, 1, 9, tzinfo=UTC)
"""When the first event happens; each later one an hour after the one before it."""

Json = dict[str, Any]


@dataclass
class World:
    """Tells events in order. `told` is all of them; each method adds some."""

    told: list[CloudEvent] = field(default_factory=list)

    def tell(self, event: PublishedEvent) -> CloudEvent:
        number = len(self.told) + 1
        envelope = CloudEvent(
            id=str(uuid4()),
            source=m.SOURCE,
            type=event.type,
            subject=event.subject,
            time=START + timedelta(hours=number),
            data=event.model_dump(mode="json"),
            sequence=str(number),
        )
        self.told.append(envelope)
        return envelope

    def lead_provider(self, name: str) -> UUID:
        id_ = uuid4()
        self.tell(m.LeadProviderRegistered(lead_provider_id=id_, name=name))
        return id_

    def delivery_partner(self, name: str) -> UUID:
        id_ = uuid4()
        self.tell(m.DeliveryPartnerRegistered(delivery_partner_id=id_, name=name))
        return id_

    def school(self, name: str, urn: str = "100001") -> UUID:
        id_ = uuid4()
        self.tell(m.SchoolOpened(school_id=id_, urn=urn, name=name))
        return id_

    def partnership(
        self, school: UUID, lead_provider: UUID, partner: UUID | None, year: int = 2025, pending: bool = False
    ) -> UUID:
        id_ = uuid4()
        self.tell(
            m.PartnershipReported(
                partnership_id=id_,
                school_id=school,
                lead_provider_id=lead_provider,
                delivery_partner_id=partner,
                academic_year=year,
                pending=pending,
            )
        )
        return id_

    def participant(
        self,
        name: str,
        school: UUID,
        partnership: UUID | None,
        *,
        role: m.ParticipantRole = m.ParticipantRole.ECT,
        year: int = 2025,
        trn: str | None = None,
        mentor: UUID | None = None,
        body: UUID | None = None,
        email: str | None = None,
    ) -> UUID:
        """Registers, opens a record, and (with a TRN) passes every check."""
        id_ = uuid4()
        self.tell(
            m.ParticipantRegistered(
                participant_id=id_,
                person_id=uuid4(),
                role=role,
                full_name=name,
                email=email or f"{id_.hex[:8]}@example.org",
                academic_year=year,
                school_id=school,
            )
        )
        self.open(id_, school, partnership, year=year, mentor=mentor, body=body)
        if trn is not None:
            self.validate(id_, trn)
        return id_

    def validate(self, participant: UUID, trn: str) -> None:
        self.tell(m.ValidationDataReceived(participant_id=participant, trn=trn, api_failure=False))
        self.tell(m.TrnValidated(participant_id=participant, trn=trn))
        self.tell(
            m.EligibilityDetermined(
                participant_id=participant,
                status=m.EligibilityStatus.ELIGIBLE,
                reason=m.EligibilityReason.NONE,
            )
        )

    def open(
        self,
        participant: UUID,
        school: UUID,
        partnership: UUID | None,
        *,
        year: int = 2025,
        start: date = date(2025, 9, 1),
        mentor: UUID | None = None,
        body: UUID | None = None,
        training: m.TrainingStatus = m.TrainingStatus.ACTIVE,
    ) -> UUID:
        record = uuid4()
        self.tell(
            m.InductionRecordOpened(
                participant_id=participant,
                induction_record_id=record,
                programme=m.Programme.FULL,
                partnership_id=partnership,
                school_id=school,
                academic_year=year,
                start_date=start,
                induction_status=m.InductionStatus.ACTIVE,
                training_status=training,
                school_transfer=False,
                mentor_participant_id=mentor,
                appropriate_body_id=body,
            )
        )
        return record

    def record_of(self, participant: UUID) -> UUID:
        """The record that was opened last."""
        opened = [
            e.data["induction_record_id"]
            for e in self.told
            if e.type == m.InductionRecordOpened.type and e.subject == str(participant)
        ]
        return UUID(str(opened[-1]))

    def close(
        self,
        participant: UUID,
        status: m.InductionStatus = m.InductionStatus.CHANGED,
        end: date = date(2025, 9, 2),
    ) -> None:
        self.tell(
            m.InductionRecordClosed(
                participant_id=participant,
                induction_record_id=self.record_of(participant),
                induction_status=status,
                end_date=end,
            )
        )


def as_json(events: Iterable[CloudEvent]) -> list[Json]:
    return [event.model_dump(mode="json", exclude_none=True) for event in events]


@dataclass
class Hub:
    """Two delivery partners, two lead providers, three schools, and people who differ in all that matters."""

    world: World
    north: UUID
    south: UUID
    lead_provider: UUID
    other_lead_provider: UUID
    oak: UUID
    elm: UUID
    oak_partnership: UUID
    elm_partnership: UUID
    south_partnership: UUID
    people: dict[str, UUID]


def hub() -> Hub:
    world = World()
    lead_provider = world.lead_provider("Brightwater Teacher Development")
    other_lead_provider = world.lead_provider("Château Learning")
    north, south = world.delivery_partner("Northern Teaching School Hub"), world.delivery_partner("South Hub")
    oak = world.school("Oakfield Primary School", "100001")
    elm = world.school("École Elm Street", "100002")
    ash = world.school("Ashdown Academy", "100003")
    oak_partnership = world.partnership(oak, lead_provider, north)
    elm_partnership = world.partnership(elm, other_lead_provider, north, year=2024)
    south_partnership = world.partnership(ash, lead_provider, south)
    people = {
        "zoe": world.participant("Zoë O’Connor", oak, oak_partnership, trn="0012345"),
        "adam": world.participant("Adam Smith", oak, oak_partnership),
        "mia": world.participant(
            "Mia Smith-Jones", oak, oak_partnership, role=m.ParticipantRole.MENTOR, trn="1234567"
        ),
        "jose": world.participant("José Álvarez", elm, elm_partnership, year=2024, trn="7654321"),
        "percy": world.participant("Percy 100%_Sure", elm, elm_partnership, year=2024, trn="7000001"),
        "sam": world.participant("Sam Smith", ash, south_partnership, trn="5555555"),
    }
    jose = people["jose"]
    world.close(jose)
    record = world.open(
        jose,
        elm,
        elm_partnership,
        year=2024,
        start=date(2025, 9, 2),
        training=m.TrainingStatus.DEFERRED,
    )
    world.tell(
        m.TrainingDeferred(
            participant_id=jose,
            induction_record_id=record,
            reason="parental-leave",
            reported_by=m.ReportedBy.LEAD_PROVIDER,
            happened_on=date(2025, 9, 2),
        )
    )
    return Hub(
        world,
        north,
        south,
        lead_provider,
        other_lead_provider,
        oak,
        elm,
        oak_partnership,
        elm_partnership,
        south_partnership,
        people,
    )

"""Given some events of Manage ECTs, what is who shown on a day?

    given(on("2024-09-02", registered()), on("2024-09-02", opened())).shown_to(PARTNER, "2024-09-03")

Events are numbered by the source in the order in which they are given, and received an hour after they
happened. Everybody is made up.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from services.participants.domain.facts import School
from services.participants.domain.london import LONDON
from services.participants.domain.mentoring import Naming, namings
from services.participants.domain.received import PartnershipEvent, Received
from services.participants.domain.status import Status
from services.participants.domain.view import Names, ParticipantView, derive
from services.participants.domain.visibility import Viewer
from shared.contracts import manage_ects as events
from shared.contracts.manage_ects import OrganisationKind, ParticipantEvent

ECT, OTHER_ECT, MENTOR = UUID(int=0xEC7), UUID(int=0xEC8), UUID(int=0x3E7)
FIRST, SECOND, THIRD = UUID(int=1), UUID(int=2), UUID(int=3)
HILL_HIGH, VALE_INFANT = UUID(int=0x51), UUID(int=0x52)
NORTH_AT_HILL, SOUTH_AT_HILL, SOUTH_AT_VALE = UUID(int=0x71), UUID(int=0x72), UUID(int=0x73)
NORTH, SOUTH = UUID(int=0x81), UUID(int=0x82)
ALDER, BIRCH = UUID(int=0x91), UUID(int=0x92)
BODY, OTHER_BODY = UUID(int=0xA1), UUID(int=0xA2)

NORTH_PARTNER = Viewer(OrganisationKind.DELIVERY_PARTNER, NORTH)
SOUTH_PARTNER = Viewer(OrganisationKind.DELIVERY_PARTNER, SOUTH)
THE_BODY = Viewer(OrganisationKind.APPROPRIATE_BODY, BODY)
NAMES = Names(
    lead_providers={ALDER: "Alder Éducation", BIRCH: "Birch Learning"},
    schools={
        HILL_HIGH: School(HILL_HIGH, "012345", "Hill High School"),
        VALE_INFANT: School(VALE_INFANT, "123456", "Vale Infant School"),
    },
)
NO_NAMES = Names(lead_providers={}, schools={})

Happened = tuple[datetime, "Any"]


def on(when: str, event: ParticipantEvent | PartnershipEvent) -> Happened:
    """An event that happened at a moment, UTC; at 12:00 when only a day is told."""
    moment = datetime.fromisoformat(when if len(when) > 10 else f"{when} 12:00")
    return moment.replace(tzinfo=UTC), event


@dataclass(frozen=True)
class Given:
    received: tuple[Received[Any], ...]

    def rows(
        self, today: str, participant: UUID = ECT, names: Names = NAMES
    ) -> dict[Viewer, ParticipantView]:
        own: list[Received[ParticipantEvent]] = []
        partnerships: dict[UUID, list[Received[PartnershipEvent]]] = {}
        for received in self.received:
            if isinstance(received.event, ParticipantEvent):
                if received.event.participant_id == participant:
                    own.append(received)
            else:
                partnerships.setdefault(received.event.partnership_id, []).append(received)
        named = [naming for naming in self.namings() if naming.mentor_participant_id == participant]
        views = derive(own, partnerships, names, named, date.fromisoformat(today))
        return {Viewer(view.organisation_kind, view.organisation_id): view for view in views}

    def shown_to(
        self, viewer: Viewer, today: str, participant: UUID = ECT, names: Names = NAMES
    ) -> ParticipantView:
        rows = self.rows(today, participant, names)
        assert viewer in rows, "the participant is not shown to this organisation"
        return rows[viewer]

    def history(self, viewer: Viewer, today: str, participant: UUID = ECT) -> list[tuple[str, str | None]]:
        """Moments (London, to the minute) and states as this organisation's row tells them."""
        return [
            (change.since.astimezone(LONDON).strftime("%Y-%m-%d %H:%M"), change.state)
            for change in self.shown_to(viewer, today, participant).history
        ]

    def namings(self) -> list[Naming]:
        own: dict[UUID, list[Received[ParticipantEvent]]] = {}
        for received in self.received:
            if isinstance(received.event, ParticipantEvent):
                own.setdefault(received.event.participant_id, []).append(received)
        return [naming for events_ in own.values() for naming in namings(events_)]

    def and_then(self, *more: Happened) -> "Given":
        return Given((*self.received, *_received(more, start=len(self.received) + 1)))


def given(*happened: Happened) -> Given:
    return Given(_received(happened, start=1))


def _received(happened: Sequence[Happened], start: int) -> tuple[Received[Any], ...]:
    return tuple(
        Received(f"event-{number}", moment, number, moment + timedelta(hours=1), event)
        for number, (moment, event) in enumerate(happened, start)
    )


# --- events ---------------------------------------------------------------------------------------


def registered(participant: UUID = ECT, **changes: Any) -> events.ParticipantRegistered:
    told = {
        "participant_id": participant,
        "person_id": UUID(int=participant.int + 0x1000),
        "role": "mentor" if participant == MENTOR else "ect",
        "full_name": "Zoë O’Brien",
        "email": "zoe@hill.example.org",
        "academic_year": 2024,
        "school_id": HILL_HIGH,
    }
    return events.ParticipantRegistered.model_validate(told | changes)


def opened(record: UUID = FIRST, participant: UUID = ECT, **changes: Any) -> events.InductionRecordOpened:
    told = {
        "participant_id": participant,
        "induction_record_id": record,
        "programme": "full",
        "partnership_id": NORTH_AT_HILL,
        "school_id": HILL_HIGH,
        "academic_year": 2024,
        "start_date": "2024-09-01",
        "induction_status": "active",
        "training_status": "active",
        "school_transfer": False,
    }
    return events.InductionRecordOpened.model_validate(told | changes)


def closed(
    induction_status: str, end_date: str | None = None, record: UUID = FIRST, participant: UUID = ECT
) -> events.InductionRecordClosed:
    return events.InductionRecordClosed.model_validate(
        {
            "participant_id": participant,
            "induction_record_id": record,
            "induction_status": induction_status,
            "end_date": end_date,
        }
    )


def reported(
    partnership: UUID = NORTH_AT_HILL, partner: UUID | None = NORTH, **changes: Any
) -> events.PartnershipReported:
    told = {
        "partnership_id": partnership,
        "school_id": HILL_HIGH,
        "lead_provider_id": ALDER,
        "delivery_partner_id": partner,
        "academic_year": 2024,
        "pending": False,
    }
    return events.PartnershipReported.model_validate(told | changes)


def challenged(partnership: UUID = NORTH_AT_HILL) -> events.PartnershipChallenged:
    return events.PartnershipChallenged.model_validate({"partnership_id": partnership, "reason": "mistake"})


def unchallenged(partnership: UUID = NORTH_AT_HILL) -> events.PartnershipUnchallenged:
    return events.PartnershipUnchallenged(partnership_id=partnership)


def confirmed(partnership: UUID = NORTH_AT_HILL) -> events.PartnershipConfirmed:
    return events.PartnershipConfirmed(partnership_id=partnership)


def validated(trn: str | None = "0123456", participant: UUID = ECT) -> events.TrnValidated:
    return events.TrnValidated(participant_id=participant, trn=trn)


def details_received(
    trn: str | None = "0123456", api_failure: bool = False, participant: UUID = ECT
) -> events.ValidationDataReceived:
    return events.ValidationDataReceived(participant_id=participant, trn=trn, api_failure=api_failure)


def eligible(
    status: str = "eligible", reason: str = "none", participant: UUID = ECT
) -> events.EligibilityDetermined:
    return events.EligibilityDetermined.model_validate(
        {"participant_id": participant, "status": status, "reason": reason}
    )


def requested(email_status: str) -> events.DetailsRequested:
    return events.DetailsRequested.model_validate({"participant_id": ECT, "email_status": email_status})


def deferred(record: UUID = FIRST) -> events.TrainingDeferred:
    return events.TrainingDeferred.model_validate(
        {
            "participant_id": ECT,
            "induction_record_id": record,
            "reason": "career-break",
            "reported_by": "lead_provider",
            "happened_on": "2024-11-01",
        }
    )


def withdrawn(record: UUID = FIRST) -> events.TrainingWithdrawn:
    return events.TrainingWithdrawn.model_validate(deferred(record).model_dump())


def resumed(record: UUID = FIRST) -> events.TrainingResumed:
    return events.TrainingResumed.model_validate(deferred(record).model_dump())


def completed(on_day: str, record: UUID = FIRST) -> events.InductionCompleted:
    return events.InductionCompleted.model_validate(
        {"participant_id": ECT, "induction_record_id": record, "completed_on": on_day}
    )


def mentor_assigned(
    mentor: UUID | None, participant: UUID = ECT, record: UUID = FIRST
) -> events.MentorAssigned:
    return events.MentorAssigned(
        participant_id=participant, induction_record_id=record, mentor_participant_id=mentor
    )


def removed(participant: UUID = ECT) -> events.ParticipantRemoved:
    return events.ParticipantRemoved(participant_id=participant)


def an_ect_in_training(**record: Any) -> Given:
    """Registered on 2 September 2024, checked within a month, with NORTH at Hill High School."""
    return given(
        on("2024-06-01", reported()),
        on("2024-09-02", registered(induction_start_date="2024-09-01")),
        on("2024-09-02", opened(**record)),
        on("2024-09-20", details_received()),
        on("2024-09-20", validated()),
        on("2024-10-01", eligible()),
    )


TRAINING = Status.TRAINING_OR_ELIGIBLE_FOR_TRAINING
ENDED = Status.NO_LONGER_BEING_TRAINED

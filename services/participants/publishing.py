"""What others are told: who looked at whom, for the audit."""

from services.participants.events import DayBegan, Event, ListViewed, ParticipantViewed
from shared.bus.publication import Publication
from shared.contracts import participants as contract
from shared.contracts.envelope import PublishedEvent
from shared.event_store import Codec, by_class_name

CODEC: Codec[Event] = Codec(by_class_name(ListViewed, ParticipantViewed, DayBegan))


def publish(event: Event) -> PublishedEvent | None:
    match event:
        case ListViewed():
            return contract.ListViewed(
                person_id=event.person_id,
                role=event.role,
                organisation_id=event.organisation_id,
                searched=event.searched,
                filters=event.filters,
                page=event.page,
                total=event.total,
                participant_ids=event.participant_ids,
            )
        case ParticipantViewed():
            return contract.ParticipantViewed(
                person_id=event.person_id,
                role=event.role,
                organisation_id=event.organisation_id,
                participant_id=event.participant_id,
            )
        case DayBegan():
            return None


PUBLICATION: Publication[Event] = Publication("participants", "/participants", publish)

"""Events as they were received, and the order in which they count."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from shared.contracts.manage_ects import (
    AppropriateBodyRegistered,
    DeliveryPartnerRegistered,
    LeadProviderRegistered,
    OrganisationRenamed,
    ParticipantEvent,
    PartnershipChallenged,
    PartnershipConfirmed,
    PartnershipProvidersChanged,
    PartnershipReported,
    PartnershipUnchallenged,
    SchoolChanged,
    SchoolOpened,
)

PartnershipEvent = (
    PartnershipReported
    | PartnershipConfirmed
    | PartnershipChallenged
    | PartnershipUnchallenged
    | PartnershipProvidersChanged
)
SchoolEvent = SchoolOpened | SchoolChanged
OrganisationEvent = (
    LeadProviderRegistered | DeliveryPartnerRegistered | AppropriateBodyRegistered | OrganisationRenamed
)
Event = ParticipantEvent | PartnershipEvent | SchoolEvent | OrganisationEvent
"""Any event of Manage ECTs."""

EventT = TypeVar("EventT", bound=Event)
EventT_co = TypeVar("EventT_co", bound=Event, covariant=True)


@dataclass(frozen=True, slots=True)
class Received(Generic[EventT_co]):
    """One event of Manage ECTs with its envelope.

    time: when it happened, as the source says (aware). sequence: the source's position, which gives the
    order within a subject. received_at: when it came to us (aware).
    """

    event_id: str
    time: datetime
    sequence: int
    received_at: datetime
    event: EventT_co


def in_order(events: Iterable[Received[EventT]]) -> list[tuple[datetime, Received[EventT]]]:
    """Return the events of one subject in the order in which they count, each with the moment it counts from.

    The sequence decides, whatever order they came in. An event that claims to have happened before its
    predecessor (reported late, or by a clock that is wrong) counts from the predecessor's moment, so that
    several subjects can be merged by moment without turning round the order within one of them.
    """
    ordered: list[tuple[datetime, Received[EventT]]] = []
    latest: datetime | None = None
    for received in sorted(events, key=_source_order):
        if latest is None or received.time > latest:
            latest = received.time
        ordered.append((latest, received))
    return ordered


def _source_order(received: Received[Event]) -> tuple[int, datetime, str]:
    return received.sequence, received.time, received.event_id

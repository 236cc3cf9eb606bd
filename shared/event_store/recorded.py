"""An event as the store keeps it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar
from uuid import UUID

Event_co = TypeVar("Event_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Metadata:
    """Who and what led to an event.

    actor: a person's or service's ID; None for the system itself.
    """

    actor: str | None
    correlation_id: str
    causation_id: str | None
    traceparent: str


@dataclass(frozen=True, slots=True)
class Recorded(Generic[Event_co]):
    """version counts from 1 within the stream; position counts from 1 within the service, without a gap.

    position is None until the event has been numbered, which happens shortly after its commit.
    """

    event_id: UUID
    stream: str
    version: int
    position: int | None
    event: Event_co
    metadata: Metadata
    happened_at: datetime
    recorded_at: datetime

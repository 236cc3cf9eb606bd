"""Private events of a service → what it tells others."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import orjson

from shared.contracts.envelope import CloudEvent, PublishedEvent
from shared.event_store import EventStore, Recorded, bucket_of

Event = TypeVar("Event")


@dataclass(frozen=True, slots=True)
class Publication(Generic[Event]):
    """publish returns None for what is nobody else's business. It must be a pure function of the event.

    name: the publisher's, as in the bus stream and in feed_urls. source: CloudEvents `source`.
    """

    name: str
    source: str
    publish: Callable[[Event], PublishedEvent | None]

    def document(self, recorded: Recorded[Event], previous: int) -> bytes | None:
        """The event as it travels: a CloudEvent's JSON. previous: a position after which this is the next.

        Written without a CloudEvent in between, which is twice as fast: what is published is valid already.
        """
        published = self.publish(recorded.event)
        if published is None:
            return None
        metadata = recorded.metadata
        document = {
            "specversion": "1.0",
            "id": str(recorded.event_id),
            "source": self.source,
            "type": published.type,
            "subject": published.subject,
            "time": recorded.happened_at,
            "datacontenttype": "application/json",
            "data": orjson.Fragment(published.model_dump_json()),
            "sequence": str(recorded.position),
            "previous": str(previous),
            "traceparent": metadata.traceparent,
            "correlationid": metadata.correlation_id,
        }
        if metadata.causation_id is not None:
            document["causationid"] = metadata.causation_id
        return orjson.dumps(document, option=orjson.OPT_UTC_Z)


@dataclass(frozen=True, slots=True)
class PublishedPage:
    """events: those of the partition, in order. up_to: the last position looked at."""

    events: Sequence[CloudEvent]
    up_to: int


async def read_published(
    store: EventStore[Event], publication: Publication[Event], after: int, limit: int, partition: int, of: int
) -> PublishedPage:
    """Published events after a position, from `limit` positions at most.

    The feed's way of reading. The relay makes its entries by the same `Publication.document`.
    """
    envelopes: list[CloudEvent] = []
    previous = up_to = after
    for recorded in await store.read_all(after, limit):
        up_to = recorded.position or up_to
        if partition_of(recorded.stream, of) != partition:
            continue
        document = publication.document(recorded, previous)
        if document is not None:
            envelopes.append(CloudEvent.model_validate_json(document))
            previous = up_to
    return PublishedPage(envelopes, up_to)


def partition_of(stream: str, partitions: int) -> int:
    """Which of a publisher's bus streams the events of a stream go to."""
    return bucket_of(stream) % partitions


def bus_stream(publisher: str, partition: int) -> str:
    """The Redis key. The braces keep one stream on one node of a cluster."""
    return f"check-data:{{{publisher}:{partition}}}:events"

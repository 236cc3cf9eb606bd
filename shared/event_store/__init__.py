"""An append-only table of events in a service's own Postgres: the truth, and the outbox.

`EventStore` appends and reads. `numbering` gives committed events their gapless positions. A `Decider`
run by `execute` is the usual way to write.
"""

from shared.event_store.append import ANY, NO_STREAM, ConcurrentAppend, NewEvents, bucket_of
from shared.event_store.codec import Codec, by_class_name
from shared.event_store.decider import Decider, execute
from shared.event_store.recorded import Metadata, Recorded
from shared.event_store.store import EventStore, Transaction

__all__ = [
    "ANY",
    "NO_STREAM",
    "Codec",
    "ConcurrentAppend",
    "Decider",
    "EventStore",
    "Metadata",
    "NewEvents",
    "Recorded",
    "Transaction",
    "bucket_of",
    "by_class_name",
    "execute",
]

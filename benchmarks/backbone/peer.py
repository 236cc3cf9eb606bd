"""The library `eventsourcing` on the same server, by its own recorders.

Its events are serialised before the clock starts, which ours are not: so the comparison leans its way.
"""

from dataclasses import dataclass
from uuid import uuid4

from eventsourcing.persistence import StoredEvent
from eventsourcing.postgres import (
    PostgresAggregateRecorder,
    PostgresApplicationRecorder,
    PostgresDatastore,
)
from sqlalchemy.engine import make_url

from benchmarks.backbone.world import CODEC, streams

Batches = list[list[StoredEvent]]


@dataclass(frozen=True, slots=True)
class Peer:
    datastore: PostgresDatastore
    recorder: PostgresAggregateRecorder

    def prepare(self, events: int, batch: int) -> Batches:
        stored = []
        for _, _, made in streams(events, max(batch, 10)):
            originator = uuid4()
            stored += [
                StoredEvent(originator, n, "benchmark:Registered", CODEC.encode(event).encode())
                for n, event in enumerate(made, 1)
            ]
        return [stored[n : n + batch] for n in range(0, len(stored), batch)]

    def insert(self, batches: Batches) -> None:
        for batch in batches:
            self.recorder.insert_events(batch)

    def close(self) -> None:
        self.datastore.close()


def open_peer(
    database_url: str, table: str, connections: int, *, ordered: bool = True, functions: bool = False
) -> Peer:
    """ordered: with its log of all events (the application recorder), as ours has."""
    url = make_url(database_url)
    datastore = PostgresDatastore(
        dbname=url.database or "",
        host=str(url.query.get("host") or url.host),
        port=str(url.query.get("port") or url.port or 5432),
        user=url.username or "",
        password=url.password or "",
        pool_size=connections,
        enable_db_functions=functions,
    )
    kind = PostgresApplicationRecorder if ordered else PostgresAggregateRecorder
    recorder = kind(datastore, events_table_name=table)
    recorder.create_table()
    return Peer(datastore, recorder)

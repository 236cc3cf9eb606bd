"""The library `eventsourcing` on the same server: its event store, and its recorders alone.

Its event store is what an application appends by, as ours is: it makes rows of events while the clock runs.
The recorders alone get their rows made beforehand, which leans the comparison their way.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from eventsourcing.domain import DomainEvent
from eventsourcing.persistence import DatetimeAsISO, EventStore, JSONTranscoder, Mapper
from eventsourcing.postgres import (
    PostgresAggregateRecorder,
    PostgresApplicationRecorder,
    PostgresDatastore,
)
from sqlalchemy.engine import make_url

from benchmarks.backbone import world
from benchmarks.backbone.world import now, streams

Write = Callable[[], None]


@dataclass(frozen=True)
class Registered(DomainEvent):
    """The benchmark's event as a domain event of that library."""

    participant: str
    number: int
    status: str
    school: str
    registered_at: datetime


@dataclass(frozen=True, slots=True)
class Peer:
    datastore: PostgresDatastore
    recorder: PostgresAggregateRecorder

    def events_writer(self, events: int, batch: int) -> Write:
        """One writer's work, by the event store."""
        store = EventStore(_mapper(), self.recorder)
        batches = _batches(events, batch)

        def write() -> None:
            for made in batches:
                store.put(made)

        return write

    def rows_writer(self, events: int, batch: int) -> Write:
        """One writer's work, by the recorder alone."""
        mapper = _mapper()
        batches = [[mapper.to_stored_event(event) for event in made] for made in _batches(events, batch)]

        def write() -> None:
            for rows in batches:
                self.recorder.insert_events(rows)

        return write

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


def _mapper() -> Mapper[UUID]:
    transcoder = JSONTranscoder()
    transcoder.register(DatetimeAsISO())
    return Mapper(transcoder)


def _batches(events: int, batch: int) -> list[list[Registered]]:
    domain = []
    for _, _, made in streams(events, max(batch, world.PER_STREAM)):
        originator = uuid4()
        domain += [_as_theirs(originator, version, event) for version, event in enumerate(made, 1)]
    return [domain[start : start + batch] for start in range(0, len(domain), batch)]


def _as_theirs(originator: UUID, version: int, event: world.Registered) -> Registered:
    return Registered(
        originator_id=originator,
        originator_version=version,
        timestamp=now(),
        participant=event.participant,
        number=event.number,
        status=event.status,
        school=event.school,
        registered_at=event.registered_at,
    )

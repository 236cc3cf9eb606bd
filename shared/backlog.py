"""How much waits, as gauges read from the database now and then: unpublished events, jobs, what is parked."""

from collections.abc import Mapping

from prometheus_client import Gauge
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

BACKLOG_SECONDS = 15.0

PARKED_EVENTS = Gauge(
    "checkdata_backlog_parked_events", "Parked events that wait for an operator", ["projection"]
)
OLDEST_PARKED_EVENT = Gauge(
    "checkdata_backlog_oldest_parked_event_seconds", "Since the oldest of them was parked", ["projection"]
)
DUE_JOBS = Gauge(
    "checkdata_backlog_due_jobs", "Jobs to do: not begun, at work, or to be tried again", ["kind"]
)
OLDEST_DUE_JOB = Gauge(
    "checkdata_backlog_oldest_due_job_seconds", "Since the oldest of them was asked for", ["kind"]
)
PARKED_JOBS = Gauge("checkdata_backlog_parked_jobs", "Parked jobs that wait for an operator", ["kind"])
OLDEST_PARKED_JOB = Gauge(
    "checkdata_backlog_oldest_parked_job_seconds", "Since the oldest was parked", ["kind"]
)
UNNUMBERED = Gauge(
    "checkdata_backlog_unpublished_events", "Committed events that the relay has not numbered", ["publisher"]
)
OLDEST_UNNUMBERED = Gauge(
    "checkdata_backlog_oldest_unpublished_event_seconds", "Since the oldest was recorded", ["publisher"]
)

AWAITING = text("""
    SELECT CAST(:service AS text), count(*),
        coalesce(extract(epoch FROM clock_timestamp() - min(recorded_at))::float8, 0) AS seconds
    FROM events_awaiting_position JOIN events ON events.id = event
""")
"""Nobody is told of them, on the bus or by the feed, so their readers cannot know that they are behind."""
EVENTS = text("""
    SELECT projection, count(*), extract(epoch FROM clock_timestamp() - min(parked_at))::float8 AS seconds
    FROM parked_events WHERE settled_at IS NULL GROUP BY projection
""")
DUE = text("""
    SELECT kind, count(*), extract(epoch FROM clock_timestamp() - min(created_at))::float8 AS seconds
    FROM work WHERE state = 'due' AND (tries > 0 OR due_at <= clock_timestamp()) GROUP BY kind
""")
"""Without what is asked for a later time."""
PARKED = text("""
    SELECT kind, count(*), extract(epoch FROM clock_timestamp() - min(settled_at))::float8 AS seconds
    FROM work WHERE state = 'parked' GROUP BY kind
""")
MEASURES = (
    (AWAITING, UNNUMBERED, OLDEST_UNNUMBERED),
    (EVENTS, PARKED_EVENTS, OLDEST_PARKED_EVENT),
    (DUE, DUE_JOBS, OLDEST_DUE_JOB),
    (PARKED, PARKED_JOBS, OLDEST_PARKED_JOB),
)


class Backlog:
    """Every process of a service tells the same, since they share the database."""

    def __init__(self, engine: AsyncEngine, service: str) -> None:
        self._engine = engine
        self._service = service
        self._told: dict[Gauge, set[str]] = {}

    async def measure(self) -> None:
        async with self._engine.connect() as connection:
            of = {"service": self._service}
            found = [(await connection.execute(query, of)).all() for query, _, _ in MEASURES]
        for rows, (_, number, oldest) in zip(found, MEASURES, strict=True):
            self._tell(number, {name: count for name, count, _ in rows})
            self._tell(oldest, {name: seconds for name, _, seconds in rows})

    def _tell(self, gauge: Gauge, values: Mapping[str, float]) -> None:
        """What was told of once and waits no more is told as 0: a series that vanishes resolves no alert."""
        told = self._told.setdefault(gauge, set())
        told.update(values)
        for name in told:
            gauge.labels(name).set(values.get(name, 0))

"""Requests by state, and by how long they have been in it: what the dashboard shows and an alert looks at."""

from datetime import datetime
from itertools import product
from typing import Final

from prometheus_client import Gauge
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.access.domain.request import RequestState

MEASURE_SECONDS: Final = 60.0

REQUESTS = Gauge(
    "checkdata_access_requests", "Requests by state, and how long they have been in it", ["state", "age"]
)
OLDEST = Gauge(
    "checkdata_access_oldest_request_seconds",
    "How long the oldest open one has been in its state",
    ["state"],
)

AGES: Final = ("day", "week", "month", "longer")
"""At most so long, and longer than the one before."""

COUNT = text("""
    SELECT state, age, count(*) AS number, extract(epoch FROM max(waited))::float8 AS seconds
    FROM (
        SELECT state, waited, CASE
            WHEN waited <= interval '1 day' THEN 'day'
            WHEN waited <= interval '7 days' THEN 'week'
            WHEN waited <= interval '30 days' THEN 'month'
            ELSE 'longer'
        END AS age
        FROM (SELECT state, CAST(:now AS timestamptz) - waiting_since AS waited FROM requests) AS waiting
    ) AS aged
    GROUP BY state, age
""")


async def measure_requests(engine: AsyncEngine, now: datetime) -> None:
    """Every process tells the same, since they share the database. What there is none of is told as 0."""
    async with engine.connect() as connection:
        found = (await connection.execute(COUNT, {"now": now})).all()
    numbers = {(row.state, row.age): row.number for row in found}
    for state, age in product(RequestState, AGES):
        REQUESTS.labels(state, age).set(numbers.get((state, age), 0))
    for state in filter(lambda state: state.is_open, RequestState):
        OLDEST.labels(state).set(max((row.seconds for row in found if row.state == state), default=0))

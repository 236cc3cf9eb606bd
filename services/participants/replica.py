"""A streaming replica that people's reads go to, while it is known how little it is behind.

Once a second a moment is written on the primary, and looked for on the replica: whatever was committed before
the moment that the replica shows, it has. So the bound holds whatever is the matter: replay that lags, a
receiver that lost the primary, a server that follows another primary. Why not the replay's own time stamp, or
log positions: docs/decisions/0061.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from typing import Final, NamedTuple

import asyncpg
import structlog
from prometheus_client import Counter, Gauge
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.participants.scope import Scope, ask, open_readers, reading
from services.participants.settings import ParticipantsSettings
from shared.database.errors import AWAY

log = structlog.get_logger(__name__)

LAG = Gauge(
    "checkdata_replica_lag_seconds",
    "How far the replica is behind, at most; infinite: not known",
    ["service"],
)
READS = Counter("checkdata_reads_total", "Lists, people and files read", ["server"])
OF_REPLICA, OF_PRIMARY = READS.labels("replica"), READS.labels("primary")

LOOK_SECONDS: Final = 1.0
ANSWER_SECONDS: Final = 2.0
"""How long the replica may take to answer, before reads go elsewhere."""
READ_SECONDS: Final = 3.0
"""How long it may take for a connection, and for people's rows, before the primary is asked as well."""
REPLICA_AWAY: Final = (*AWAY, asyncpg.PostgresError, asyncpg.InterfaceError)

BEAT = text("""
    WITH beaten AS (
        UPDATE replica_heartbeat SET beaten_at = clock_timestamp()
        WHERE beaten_at < clock_timestamp() - interval '0.5 seconds'
    )
    SELECT clock_timestamp()
""")
"""Several processes beat; the row is written twice a second at most."""
SEEN: Final = "SELECT beaten_at FROM replica_heartbeat"


class Source(NamedTuple):
    """as_of: what was committed by then is seen there, at least; None: it is the primary."""

    replica: "Replica | None"
    as_of: datetime | None


PRIMARY: Final = Source(None, None)


class Replica:
    """limit: seconds. When it may be further behind than this, it is not read."""

    def __init__(self, readers: asyncpg.Pool, limit: float) -> None:
        self.readers = readers
        self._limit = limit
        self._as_of: datetime | None = None
        self._current_at = float("-inf")
        """On the monotonic clock: the latest moment of which it is known that all of before is seen."""
        LAG.labels("participants").set_function(self.lag)

    def lag(self) -> float:
        """Seconds, at most, by which what is read now is out of date."""
        return time.monotonic() - self._current_at

    def source(self) -> Source:
        """The replica, as long as it keeps to the limit."""
        if self._as_of is not None and self.lag() <= self._limit:
            return Source(self, self._as_of)
        return PRIMARY

    async def keep_looking(self, primary: AsyncEngine) -> None:
        """Never returns."""
        while True:
            try:
                await self.look(primary)
            except REPLICA_AWAY as error:
                self.lose(error)
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self, primary: AsyncEngine) -> None:
        """Learn how far the replica is behind by now. Raises one of REPLICA_AWAY."""
        async with asyncio.timeout(ANSWER_SECONDS):
            seen: datetime = await self.readers.fetchval(SEEN)
            asked_at = time.monotonic()
            async with primary.begin() as connection:
                present: datetime = (await connection.execute(BEAT)).scalar_one()
        if self._as_of is None:
            log.info("replica_read")
        self._as_of = seen
        self._current_at = asked_at - (present - seen).total_seconds()

    def lose(self, error: BaseException) -> None:
        if self._as_of is not None:
            log.warning("replica_not_read", error=type(error).__name__)
        self._as_of = None


async def ask_of(
    source: Source, primary: asyncpg.Pool, question: str, values: Sequence[object]
) -> list[asyncpg.Record]:
    """As scope.ask. A replica that does not answer is missed by nobody: the primary is asked instead."""
    failure = None
    if source.replica is not None:
        try:
            records = await ask(source.replica.readers, question, values, READ_SECONDS)
        except REPLICA_AWAY as error:
            failure = error
        else:
            OF_REPLICA.inc()
            return records
    OF_PRIMARY.inc()
    records = await ask(primary, question, values)
    if source.replica is not None and failure is not None:  # what the primary answers was not asked wrongly
        source.replica.lose(failure)
    return records


@asynccontextmanager
async def reading_from(
    source: Source, primary: asyncpg.Pool, scope: Scope
) -> AsyncIterator[asyncpg.Connection]:
    """As scope.reading. A replica that does not begin is missed by nobody: the primary is read instead."""
    async with AsyncExitStack() as stack:
        connection = None
        if source.replica is not None:
            try:
                connection = await stack.enter_async_context(
                    reading(source.replica.readers, scope, READ_SECONDS)
                )
            except REPLICA_AWAY as error:
                source.replica.lose(error)
        (OF_REPLICA if connection else OF_PRIMARY).inc()
        yield connection or await stack.enter_async_context(reading(primary, scope))


@asynccontextmanager
async def open_replica(settings: ParticipantsSettings) -> AsyncIterator[Replica | None]:
    """None when no replica is set."""
    url = settings.reader_replica_database_url
    if url is None:
        yield None
        return
    async with open_readers(url.get_secret_value(), settings.reader_pool_size) as replica:
        yield Replica(replica, settings.reader_replica_limit_seconds)

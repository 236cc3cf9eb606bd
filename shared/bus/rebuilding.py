"""Makes a read model anew beside the live one, and swaps it in by its differences.

The rows are folded from the whole log into twins of the tables (shared/database/shadow.py), while the live
model goes on. Then it is held for a moment, the rest is folded, and the differences are written in one
transaction. Readers see the old rows or the new; a rebuild that is killed has changed nothing.
"""

import getpass
from collections.abc import Mapping, Sequence
from typing import Protocol

import httpx
from sqlalchemy import Table, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.bus.applying import Applier, Projection
from shared.bus.feed import Feed
from shared.bus.publication import PublishedPage
from shared.bus.tables import checkpoints, parked_events
from shared.contracts.envelope import CloudEvent
from shared.database.difference import Difference, compare, count, make_same
from shared.database.shadow import Shadow, live, shadowed

Report = Mapping[str, Difference]
"""By table: rows that were the same, and that were added, changed and removed."""


class CannotRebuild(Exception):
    """Nothing was changed. str() of it says why, in a sentence."""


class ReadModel(Protocol):
    """Tables whose rows follow from a log.

    tables: those that are made anew. sources: those that are read as they are, and have no twin.
    """

    @property
    def tables(self) -> Sequence[Table]: ...

    @property
    def sources(self) -> Sequence[Table]: ...

    async def catch_up(self, shadow: Shadow) -> None:
        """Fold into the twins what the live model has been told so far, and no more.

        The first time from the beginning of the log, later from where it was. Raises CannotRebuild.
        """
        ...

    async def hold(self, connection: AsyncConnection) -> None:
        """Let nobody move the live model until the transaction ends."""
        ...

    async def compare_unapplied(self, connection: AsyncConnection) -> Report:
        """How what waits, since it could not be applied, differs between the live model and the twins."""
        ...

    async def settle_unapplied(self, connection: AsyncConnection) -> None:
        """Make what waits for the live model what waits for the twins. Raises CannotRebuild."""
        ...


async def rebuild(owner_url: str, model: ReadModel, *, dry_run: bool = False) -> Report:
    """Make the tables what the log says. Returns how they differed.

    dry_run: only compare, at one moment; the database refuses any write to what is live.
    owner_url: see shadowed. Raises CannotRebuild.
    """
    async with shadowed(owner_url, model.sources) as shadow:
        await model.catch_up(shadow)
        if dry_run:
            async with shadow.snapshot() as connection:
                await model.catch_up(shadow)
                return await _differences(connection, model)
        async with shadow.swap() as connection:
            await model.hold(connection)
            await model.catch_up(shadow)
            report = await _differences(connection, model)
            for table in model.tables:
                if report[table.name]:
                    await make_same(connection, table)
            await model.settle_unapplied(connection)
        return report


async def _differences(connection: AsyncConnection, model: ReadModel) -> Report:
    tables = {table.name: await compare(connection, table) for table in model.tables}
    return {**tables, **await model.compare_unapplied(connection)}


class Followed:
    """The read model of a projection, from its publisher's feed.

    It goes as far as the live checkpoint, and leaves that where it is: what comes after is the live
    projection's, with all its effects. Effects of the past (jobs, events of one's own) are written to twins,
    and are gone with them.
    """

    sources: Sequence[Table] = ()

    def __init__(self, projection: Projection, feed: Feed, *, partitions: int, batch: int) -> None:
        self.tables = projection.tables
        self._projection = projection
        self._feed = feed
        self._partitions = partitions
        self._batch = batch

    async def catch_up(self, shadow: Shadow) -> None:
        for partition in range(self._partitions):
            applier = Applier(self._projection, shadow.begin, partition)
            await applier.reload()
            while applier.checkpoint < (goal := await self._live_checkpoint(shadow, partition)):
                page = await self._read(applier.checkpoint, goal, partition)
                await applier.apply(await self._without_discarded(shadow, page.events), page.up_to)

    async def _live_checkpoint(self, shadow: Shadow, partition: int) -> int:
        table = live(checkpoints)
        query = select(table.c.position).where(
            table.c.projection == self._projection.name, table.c.partition == partition
        )
        async with shadow.begin() as connection:
            return await connection.scalar(query) or 0

    async def _read(self, after: int, goal: int, partition: int) -> PublishedPage:
        """A page that ends at the goal at the latest: positions have no gaps, so the limit sees to that."""
        publisher = self._projection.publisher
        try:
            page = await self._feed.read(after, min(self._batch, goal - after), partition, self._partitions)
        except (httpx.HTTPError, ValueError) as error:
            raise CannotRebuild(f"The feed of {publisher} cannot be read: {_told(error)}.") from error
        if page.up_to <= after:
            raise CannotRebuild(
                f"The log of {publisher} ends at {after}, and {self._projection.name} has read up to {goal}."
            )
        return page

    async def _without_discarded(self, shadow: Shadow, events: Sequence[CloudEvent]) -> Sequence[CloudEvent]:
        """Those that nobody has given up on: that decision stands."""
        parked = live(parked_events)
        query = select(parked.c.position).where(
            parked.c.projection == self._projection.name,
            parked.c.settled_how == "discarded",
            parked.c.position.in_([event.position for event in events]),
        )
        async with shadow.begin() as connection:
            discarded = set(await connection.scalars(query))
        return [event for event in events if event.position not in discarded]

    async def hold(self, connection: AsyncConnection) -> None:
        """The checkpoints first, as whoever applies does; then what waits, as whoever retries does."""
        await connection.execute(_HOLD_CHECKPOINTS, {"name": self._projection.name})
        await connection.execute(_HOLD_PARKED, {"name": self._projection.name})

    async def compare_unapplied(self, connection: AsyncConnection) -> Report:
        return {parked_events.name: await count(connection, _COMPARE_PARKED, name=self._projection.name)}

    async def settle_unapplied(self, connection: AsyncConnection) -> None:
        name = {"name": self._projection.name}
        if await connection.scalar(_DISCARDED_MEANWHILE, name):
            raise CannotRebuild("An event was discarded meanwhile. Begin again.")
        await connection.execute(_SETTLE_APPLIED, {**name, "by": getpass.getuser()})
        await connection.execute(_PARK_ANEW, name)


def _told(error: httpx.HTTPError | ValueError) -> str:
    match error:
        case httpx.HTTPStatusError():
            return f"{error.request.url.host} answered {error.response.status_code}"
        case ValueError():
            return "its answer is not understood"
        case _:
            return type(error).__name__


_HOLD_CHECKPOINTS = text("SELECT FROM public.checkpoints WHERE projection = :name FOR UPDATE")
_HOLD_PARKED = text(
    "SELECT FROM public.parked_events WHERE projection = :name AND settled_at IS NULL FOR UPDATE"
)
_COMPARE_PARKED = """
    SELECT
        count(*) FILTER (WHERE live.position = new.position),
        count(*) FILTER (WHERE live.position IS NULL),
        0,
        count(*) FILTER (WHERE new.position IS NULL)
    FROM (SELECT position FROM public.parked_events WHERE projection = :name AND settled_at IS NULL) AS live
    FULL JOIN (SELECT position FROM pg_temp.parked_events WHERE projection = :name) AS new
    ON live.position = new.position
"""
_DISCARDED_MEANWHILE = text("""
    SELECT EXISTS (
        SELECT FROM public.parked_events live JOIN pg_temp.parked_events new USING (projection, position)
        WHERE projection = :name AND live.settled_how = 'discarded'
    )
""")
_SETTLE_APPLIED = text("""
    WITH settled AS (
        UPDATE public.parked_events AS live SET settled_at = clock_timestamp(), settled_how = 'retried'
        WHERE projection = :name AND settled_at IS NULL AND NOT EXISTS (
            SELECT FROM pg_temp.parked_events new
            WHERE new.projection = live.projection AND new.position = live.position
        )
        RETURNING id
    )
    INSERT INTO public.parked_actions (about, number, action, by, why)
    SELECT 'event', id, 'retried', :by, 'rebuilt' FROM settled
""")
_PARK_ANEW = text("""
    INSERT INTO public.parked_events AS live (projection, subject, position, type, event, reason)
    SELECT projection, subject, position, type, event, reason
    FROM pg_temp.parked_events WHERE projection = :name ORDER BY id
    ON CONFLICT (projection, position) DO UPDATE SET
        id = DEFAULT, reason = excluded.reason, tries = live.tries + 1, settled_at = NULL, settled_how = NULL
""")
"""All of them get new numbers, since what waits is retried in the order of these."""

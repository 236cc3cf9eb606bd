"""Puts made-up happenings into the store, in batches, and keeps a slow trickle of them going."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from itertools import islice

from sqlalchemy.ext.asyncio import AsyncConnection

from services.manage_ects.domain.history import Happening, history, trickle
from services.manage_ects.settings import ManageEctsSettings
from shared.bus.checkpoints import load_checkpoint, move_checkpoint
from shared.clock import Clock, london_day
from shared.contracts.envelope import PublishedEvent
from shared.database.exclusive import exclusive
from shared.event_store import ANY, EventStore, NewEvents, Transaction

BATCH = 2_000
AS_OF, HISTORY, WHOLE, TRICKLE = "history as of", "history", "history is whole", "trickle"
"""Names of the checkpoints that say for which day the history is made, how much of it is written, whether
that is all, and how many small changes followed."""

Store = EventStore[PublishedEvent]


async def write_history(
    store: Store, settings: ManageEctsSettings, clock: Clock, progress: Callable[[int], None]
) -> int:
    """Write the whole made-up history, unless it is there. Returns how many events it has.

    Goes on where it was cut off, also on a later day: the checkpoint moves with each batch, and the day
    for which the history is made is kept. progress: events written so far.
    """
    async with store.engine.begin() as connection:
        today = await _as_of(connection, london_day(clock()))
        written = await load_checkpoint(connection, HISTORY, 0)
        if await load_checkpoint(connection, WHOLE, 0):
            return written
    happenings = islice(history(settings.seed, settings.participants, today), written, None)
    while batch := list(islice(happenings, BATCH)):
        async with store.transaction() as transaction:
            await move_checkpoint(transaction.connection, HISTORY, 0, old=written, new=written + len(batch))
            await _append(transaction, batch)
        written += len(batch)
        progress(written)
    async with store.engine.begin() as connection:
        await move_checkpoint(connection, WHOLE, 0, old=0, new=1)
    return written


async def keep_trickling(store: Store, settings: ManageEctsSettings, clock: Clock) -> None:
    """Every now and then something small happens. Never returns; one process does it."""
    async with exclusive(store.engine, TRICKLE):
        while True:
            await asyncio.sleep(settings.trickle_seconds)
            async with store.transaction() as transaction:
                if await load_checkpoint(transaction.connection, WHOLE, 0):
                    await _trickle_once(transaction, settings, clock())


async def _trickle_once(
    transaction: Transaction[PublishedEvent], settings: ManageEctsSettings, now: datetime
) -> None:
    today = await _as_of(transaction.connection, london_day(now))
    step = await load_checkpoint(transaction.connection, TRICKLE, 0)
    await move_checkpoint(transaction.connection, TRICKLE, 0, old=step, new=step + 1)
    await _append(transaction, trickle(settings.seed, settings.participants, today, step, now))


async def _as_of(connection: AsyncConnection, today: date) -> date:
    """The day for which the history is made: the first day on which somebody asked."""
    known = await load_checkpoint(connection, AS_OF, 0)
    if known == 0:
        await move_checkpoint(connection, AS_OF, 0, old=0, new=today.toordinal())
    return date.fromordinal(known) if known else today


async def _append(transaction: Transaction[PublishedEvent], happenings: Sequence[Happening]) -> None:
    by_stream = _grouped(happenings)
    await transaction.append_all(
        [
            NewEvents(
                stream,
                ANY,
                [h.event for h in group],
                happened_at=[h.time for h in group],
                event_ids=[h.event_id for h in group],
            )
            for stream, group in by_stream.items()
        ],
        actor=None,
    )


def _grouped(happenings: Iterable[Happening]) -> dict[str, list[Happening]]:
    """By stream: one for each subject."""
    groups: dict[str, list[Happening]] = {}
    for happening in happenings:
        stream = f"{happening.event.subject_field.removesuffix('_id')}-{happening.event.subject}"
        groups.setdefault(stream, []).append(happening)
    return groups

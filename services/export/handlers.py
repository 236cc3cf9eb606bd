"""Commands on exports: load, decide, append, and the rows with it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, timedelta
from uuid import UUID, uuid5

from sqlalchemy.ext.asyncio import AsyncConnection

from services.export.domain.events import Event, ExportId, FileShape, ListQuery, Owner
from services.export.domain.export_job import (
    Cancel,
    Command,
    Download,
    Expire,
    ExportJob,
    Limits,
    NoSuchExport,
    RecordFailure,
    RecordWritten,
    RequestExport,
    StartWriting,
    WrittenFile,
    decide,
    evolve,
)
from services.export.rows import apply, count_asked, last_taken, note_words, one_ask_at_a_time, words_of
from shared.clock import LONDON, Clock
from shared.event_store import Decider, EventStore, Recorded, Transaction, execute
from shared.work_queue import enqueue

WRITE_EXPORT = "write_export"
"""The kind of work."""

EXPORT_IDS = UUID("6f0d3c1e-3b0a-4f5e-9a53-0c1f6a1f8d52")
"""Namespace of the IDs."""

OVERLAP = timedelta(minutes=10)
"""What was received shortly before a file was asked for may not have been derived when its rows were read."""

DECIDER: Decider[Command, ExportJob | None, Event] = Decider(initial=None, decide=decide, evolve=evolve)


@dataclass(frozen=True, slots=True)
class Wish:
    """since_last: only who changed since the last file of this kind that was downloaded, if there was one.

    email: whether to tell its owner when it is ready.
    """

    query: ListQuery
    shape: FileShape
    since_last: bool = False
    email: bool = False


class Exports:
    def __init__(self, store: EventStore[Event], clock: Clock, limits: Limits) -> None:
        self._store = store
        self._clock = clock
        self.limits = limits

    async def ask(self, owner: Owner, wish: Wish, idempotency_key: UUID) -> ExportId:
        """Ask for a file. The same owner and key gives the same export, however often and at once.

        Raises TooManyExports.
        """
        export_id = id_of(owner, idempotency_key)
        asked_at = self._clock().astimezone(LONDON)
        async with self._store.transaction() as transaction:
            await one_ask_at_a_time(transaction.connection, owner)
            loaded = await transaction.load(stream(export_id))
            command = RequestExport(
                export_id,
                owner,
                await _changed_since(transaction.connection, owner, wish),
                file_name=f"participants-{asked_at:%Y-%m-%d-%H%M}.{wish.shape.format}",
                shape=wish.shape,
                asked=await count_asked(transaction.connection, owner, asked_at),
                limits=self.limits,
                email_wished=wish.email,
            )
            new = decide(command, DECIDER.state_after(loaded.events))
            recorded = await transaction.append(
                stream(export_id), new, expected=loaded.version, actor=str(owner.person_id)
            )
            await apply(transaction.connection, recorded)
            if recorded:
                await note_words(transaction.connection, export_id, wish.query.q)
                data = {"export_id": str(export_id)}
                await enqueue(transaction.connection, WRITE_EXPORT, str(export_id), data)
        return export_id

    async def load(self, export_id: ExportId) -> ExportJob:
        """With what was searched for, as long as that is kept. Raises NoSuchExport."""
        events = [recorded.event for recorded in await self._store.read_stream(stream(export_id))]
        job = DECIDER.state_after(events)
        if job is None:
            raise NoSuchExport
        async with self._store.engine.connect() as connection:
            words = await words_of(connection, export_id)
        return replace(job, query=replace(job.query, q=words or job.query.q))

    async def start_writing(self, export_id: ExportId, total: int) -> None:
        """Raises AlreadyOver, TooManyRows."""
        await self._execute(export_id, StartWriting(total, self.limits.rows), actor=None)

    async def record_written(self, export_id: ExportId, file: WrittenFile) -> None:
        """Offer the file. Raises AlreadyOver, RowsMissing."""
        await self._execute(export_id, RecordWritten(file), actor=None)

    async def record_failure(self, export_id: ExportId, reason: str) -> None:
        """Raises AlreadyOver."""
        await self._execute(export_id, RecordFailure(reason), actor=None)

    async def record_download(self, export_id: ExportId, by: Owner) -> None:
        """Before the first byte is given. Raises a Refused: then none may be given."""
        await self._execute(export_id, Download(by, self._clock()), actor=str(by.person_id))

    async def cancel(self, export_id: ExportId, by: Owner) -> None:
        """Ask for no file any more; who writes it stops soon. Raises AlreadyOver, NoSuchExport."""
        await self._execute(export_id, Cancel(by), actor=str(by.person_id))

    async def expire(self, export_id: ExportId) -> None:
        """Once the file is deleted. Does nothing when its time is not over, or when it is expired."""
        await self._execute(export_id, Expire(self._clock()), actor=None)

    async def _execute(self, export_id: ExportId, command: Command, actor: str | None) -> None:
        await execute(self._store, DECIDER, stream(export_id), command, actor=actor, along=_keep_rows)


async def _changed_since(connection: AsyncConnection, owner: Owner, wish: Wish) -> ListQuery:
    """The query, with the moment in place of “since my last download”."""
    if not wish.since_last:
        return wish.query
    since = await last_taken(connection, owner, wish.query)
    told = (since - OVERLAP).astimezone(UTC).isoformat(timespec="seconds") if since else ""
    return replace(wish.query, changed_since=told)


async def _keep_rows(transaction: Transaction[Event], recorded: Sequence[Recorded[Event]]) -> None:
    await apply(transaction.connection, recorded)


def id_of(owner: Owner, idempotency_key: UUID) -> ExportId:
    """Made of who asks and of the key: so the stream itself tells a second ask from a first one."""
    name = f"{owner.person_id}/{owner.role}/{owner.organisation_id}/{idempotency_key}"
    return ExportId(uuid5(EXPORT_IDS, name))


def stream(export_id: ExportId) -> str:
    return f"export-{export_id}"

"""One export, from the asking to the deletion of its file."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import assert_never

from services.export.domain.events import (
    Downloaded,
    Event,
    ExportCancelled,
    ExportExpired,
    ExportFailed,
    ExportId,
    ExportRequested,
    ExportWritten,
    FileShape,
    ListQuery,
    Owner,
    WritingStarted,
)


class Stage(StrEnum):
    WAITING = "waiting"
    WRITING = "writing"
    READY = "ready"
    FAILED = "failed"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


UNFINISHED = (Stage.WAITING, Stage.WRITING)


@dataclass(frozen=True, slots=True)
class WrittenFile:
    """rows without the header; bytes and sha256 of the whole file."""

    rows: int
    bytes: int
    sha256: str
    location: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class ExportJob:
    """State of an export that somebody asked for."""

    export_id: ExportId
    owner: Owner
    query: ListQuery
    file_name: str
    shape: FileShape
    email_wished: bool = False
    stage: Stage = Stage.WAITING
    total: int | None = None
    file: WrittenFile | None = None
    failure: str = ""
    searched: bool = False
    """Whether there were words to search for, also when they are forgotten."""

    def must_be_unfinished(self) -> None:
        if self.stage not in UNFINISHED:
            raise AlreadyOver

    def must_be_of(self, by: Owner) -> None:
        if by != self.owner:
            raise NoSuchExport

    def file_for(self, by: Owner, at: datetime) -> WrittenFile:
        """The file, for its owner in the same role and organisation, while it lasts."""
        self.must_be_of(by)
        if self.stage is Stage.CANCELLED:
            raise WasCancelled
        if self.stage is Stage.FAILED:
            raise WritingFailed(self.failure)
        if self.file is None:
            raise NotReady
        if self.stage is Stage.EXPIRED or at >= self.file.expires_at:
            raise NoLongerThere
        return self.file


@dataclass(frozen=True, slots=True)
class Limits:
    """How many exports may be unfinished at a time, how many be asked for in an hour, how long one may be."""

    person: int
    organisation: int
    person_in_an_hour: int
    rows: int


@dataclass(frozen=True, slots=True)
class Asked:
    """What counts against the limits: exports that are unfinished, or were asked for in the last hour."""

    person: int
    organisation: int
    person_in_an_hour: int


# --- commands -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RequestExport:
    export_id: ExportId
    owner: Owner
    query: ListQuery
    file_name: str
    shape: FileShape
    asked: Asked
    limits: Limits
    email_wished: bool = False


@dataclass(frozen=True, slots=True)
class StartWriting:
    """limit: the most rows of a file."""

    total: int
    limit: int


@dataclass(frozen=True, slots=True)
class RecordWritten:
    file: WrittenFile


@dataclass(frozen=True, slots=True)
class RecordFailure:
    reason: str


@dataclass(frozen=True, slots=True)
class Download:
    by: Owner
    at: datetime


@dataclass(frozen=True, slots=True)
class Expire:
    at: datetime


@dataclass(frozen=True, slots=True)
class Cancel:
    by: Owner


Command = RequestExport | StartWriting | RecordWritten | RecordFailure | Download | Expire | Cancel

# --- refusals -------------------------------------------------------------------------------------


class Refused(Exception):
    """A command that the rules of exports do not allow."""


class NoSuchExport(Refused):
    """There is none, or none that this caller may know of."""


class TooManyExports(Refused):
    """limit: the one that is reached."""

    def __init__(self, limit: int) -> None:
        super().__init__(limit)
        self.limit = limit


class TooManyOfTheOrganisation(TooManyExports):
    """Its people together have as many unfinished as they may."""


class TooManyInAnHour(TooManyExports):
    """Of this person."""


class TooManyRows(TooManyExports):
    """For one file."""


class NotReady(Refused):
    """The file is not written yet."""


class WritingFailed(Refused):
    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class WasCancelled(Refused):
    """Its owner wanted no file any more."""


class NoLongerThere(Refused):
    """The file's time is over."""


class AlreadyOver(Refused):
    """The export is ready, failed, expired or cancelled: there is nothing more to write."""


class RowsMissing(Refused):
    """The file has not the number of rows that were announced."""


# --- decider --------------------------------------------------------------------------------------


def decide(command: Command, job: ExportJob | None) -> Sequence[Event]:
    """Return what follows from the command. Raises a Refused."""
    if isinstance(command, RequestExport):
        return _request(command, job)
    if job is None:
        raise NoSuchExport
    match command:
        case StartWriting(total, limit):
            job.must_be_unfinished()
            if total > limit:
                raise TooManyRows(limit)
            return [WritingStarted(job.export_id, job.owner, total)]
        case RecordWritten(file):
            job.must_be_unfinished()
            if file.rows != job.total:
                raise RowsMissing
            return [
                ExportWritten(
                    job.export_id,
                    job.owner,
                    rows=file.rows,
                    bytes=file.bytes,
                    sha256=file.sha256,
                    location=file.location,
                    expires_at=file.expires_at,
                    email_wished=job.email_wished,
                )
            ]
        case RecordFailure(reason):
            job.must_be_unfinished()
            return [ExportFailed(job.export_id, job.owner, reason)]
        case Download(by, at):
            return [
                Downloaded(
                    job.export_id,
                    job.owner,
                    job.file_for(by, at).rows,
                    searched=job.searched,
                    filters=job.query.filters,
                    format=job.shape.format,
                )
            ]
        case Expire(at):
            over = job.stage is Stage.READY and job.file is not None and at >= job.file.expires_at
            return [ExportExpired(job.export_id, job.owner)] if over else []
        case Cancel(by):
            job.must_be_of(by)
            if job.stage is Stage.CANCELLED:
                return []  # a double click
            job.must_be_unfinished()
            return [ExportCancelled(job.export_id, job.owner)]
        case _:
            assert_never(command)


def _request(command: RequestExport, job: ExportJob | None) -> Sequence[Event]:
    if job is not None:
        return []  # a double click
    asked, limits = command.asked, command.limits
    if asked.person >= limits.person:
        raise TooManyExports(limits.person)
    if asked.organisation >= limits.organisation:
        raise TooManyOfTheOrganisation(limits.organisation)
    if asked.person_in_an_hour >= limits.person_in_an_hour:
        raise TooManyInAnHour(limits.person_in_an_hour)
    return [
        ExportRequested(
            command.export_id,
            command.owner,
            replace(command.query, q=""),
            command.file_name,
            command.shape,
            command.email_wished,
            searched=command.query.searched,
        )
    ]


def evolve(job: ExportJob | None, event: Event) -> ExportJob | None:
    if isinstance(event, ExportRequested):
        return ExportJob(
            event.export_id,
            event.owner,
            event.query,
            event.file_name,
            event.shape,
            event.email_wished,
            searched=event.searched or event.query.searched,
        )
    if job is None:
        raise NoSuchExport
    match event:
        case WritingStarted(total=total):
            return replace(job, stage=Stage.WRITING, total=total)
        case ExportWritten():
            file = WrittenFile(event.rows, event.bytes, event.sha256, event.location, event.expires_at)
            return replace(job, stage=Stage.READY, file=file)
        case ExportFailed(reason=reason):
            return replace(job, stage=Stage.FAILED, failure=reason)
        case ExportExpired():
            return replace(job, stage=Stage.EXPIRED)
        case ExportCancelled():
            return replace(job, stage=Stage.CANCELLED)
        case Downloaded():
            return job
        case _:
            assert_never(event)

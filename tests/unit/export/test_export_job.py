"""The rules of one export."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import reduce
from uuid import UUID

import pytest

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
    Format,
    ListQuery,
    OrganisationId,
    Owner,
    PersonId,
    WritingStarted,
)
from services.export.domain.export_job import (
    AlreadyOver,
    Asked,
    Cancel,
    Command,
    Download,
    Expire,
    ExportJob,
    Limits,
    NoLongerThere,
    NoSuchExport,
    NotReady,
    RecordFailure,
    RecordWritten,
    Refused,
    RequestExport,
    RowsMissing,
    StartWriting,
    TooManyExports,
    TooManyInAnHour,
    TooManyOfTheOrganisation,
    TooManyRows,
    WasCancelled,
    WritingFailed,
    WrittenFile,
    decide,
    evolve,
)

ID = ExportId(UUID(int=1))
OWNER = Owner(PersonId(UUID(int=2)), "delivery_partner", OrganisationId(UUID(int=3)))
QUERY = ListQuery("brook", ("ect",), (2024,), ())
NOW = datetime(2026, 11, 25, 14, 32, tzinfo=UTC)
LATER = NOW + timedelta(hours=24)

LIMITS = Limits(person=5, organisation=20, person_in_an_hour=60, rows=50)
SHAPE = FileShape(("full_name",), byte_order_mark=True)
REQUEST = RequestExport(ID, OWNER, QUERY, "participants.csv", SHAPE, Asked(0, 0, 0), LIMITS)
REQUESTED = ExportRequested(ID, OWNER, replace(QUERY, q=""), "participants.csv", SHAPE, searched=True)
"""Without the words, which may name people."""
STARTED = WritingStarted(ID, OWNER, 40)
FILE = WrittenFile(40, 4_000, "ab" * 32, "place", LATER)
WRITTEN = ExportWritten(ID, OWNER, 40, 4_000, "ab" * 32, "place", LATER)
TAKEN = Downloaded(
    ID, OWNER, 40, searched=True, filters={"role": ["ect"], "academic_year": ["2024"]}, format=Format.CSV
)
FAILED = ExportFailed(ID, OWNER, "The list could not be read.")
EXPIRED = ExportExpired(ID, OWNER)
CANCELLED = ExportCancelled(ID, OWNER)


@dataclass(frozen=True)
class Given:
    history: Sequence[Event]
    command: Command | None = None

    def when(self, command: Command) -> "Given":
        return replace(self, command=command)

    def then(self, *events: Event) -> None:
        assert list(self._decide()) == list(events)

    def then_refused(self, refusal: type[Refused]) -> None:
        with pytest.raises(refusal):
            self._decide()

    def _decide(self) -> Sequence[Event]:
        assert self.command is not None
        nothing: ExportJob | None = None
        return decide(self.command, reduce(evolve, self.history, nothing))


def given(*history: Event) -> Given:
    return Given(history)


def test_asking_makes_an_export_that_remembers_the_query_and_not_the_words() -> None:
    given().when(REQUEST).then(REQUESTED)


@pytest.mark.parametrize("history", [[REQUESTED], [REQUESTED, STARTED, WRITTEN], [REQUESTED, FAILED]])
def test_asking_twice_with_one_key_makes_one_export(history: list[Event]) -> None:
    given(*history).when(REQUEST).then()


def test_the_last_place_may_be_taken() -> None:
    given().when(replace(REQUEST, asked=Asked(4, 19, 59))).then(REQUESTED)


def test_a_person_has_no_more_unfinished_exports_than_the_limit() -> None:
    given().when(replace(REQUEST, asked=Asked(5, 5, 5))).then_refused(TooManyExports)


def test_a_double_click_on_the_last_place_is_not_refused() -> None:
    given(REQUESTED).when(replace(REQUEST, asked=Asked(5, 5, 5))).then()


def test_an_organisation_has_no_more_unfinished_exports_than_its_limit() -> None:
    given().when(replace(REQUEST, asked=Asked(0, 20, 0))).then_refused(TooManyOfTheOrganisation)


def test_a_person_asks_for_no_more_in_an_hour_than_the_limit() -> None:
    given().when(replace(REQUEST, asked=Asked(0, 0, 60))).then_refused(TooManyInAnHour)


def test_no_file_has_more_rows_than_the_limit() -> None:
    given(REQUESTED).when(StartWriting(50, 50)).then(replace(STARTED, total=50))
    given(REQUESTED).when(StartWriting(51, 50)).then_refused(TooManyRows)


def test_whether_to_be_told_is_remembered_until_the_file_is_written() -> None:
    given().when(replace(REQUEST, email_wished=True)).then(replace(REQUESTED, email_wished=True))
    asked = replace(REQUESTED, email_wished=True)
    given(asked, STARTED).when(RecordWritten(FILE)).then(replace(WRITTEN, email_wished=True))


def test_writing_starts_with_the_total_of_the_snapshot() -> None:
    given(REQUESTED).when(StartWriting(40, 50)).then(STARTED)


def test_writing_starts_again_after_a_worker_died() -> None:
    given(REQUESTED, STARTED).when(StartWriting(41, 50)).then(replace(STARTED, total=41))


def test_a_whole_file_is_offered() -> None:
    given(REQUESTED, STARTED).when(RecordWritten(FILE)).then(WRITTEN)


@pytest.mark.parametrize("rows", [39, 41, 0])
def test_a_file_without_exactly_the_announced_rows_is_never_offered(rows: int) -> None:
    given(REQUESTED, STARTED).when(RecordWritten(replace(FILE, rows=rows))).then_refused(RowsMissing)


def test_a_file_is_not_offered_before_its_total_is_known() -> None:
    given(REQUESTED).when(RecordWritten(replace(FILE, rows=0))).then_refused(RowsMissing)


def test_the_total_that_counts_is_that_of_the_last_try() -> None:
    again = replace(STARTED, total=41)
    given(REQUESTED, STARTED, again).when(RecordWritten(FILE)).then_refused(RowsMissing)


@pytest.mark.parametrize("history", [[REQUESTED], [REQUESTED, STARTED]])
def test_an_unfinished_export_can_fail(history: list[Event]) -> None:
    given(*history).when(RecordFailure(FAILED.reason)).then(FAILED)


@pytest.mark.parametrize("end", [[STARTED, WRITTEN], [FAILED], [STARTED, WRITTEN, EXPIRED], [CANCELLED]])
@pytest.mark.parametrize("command", [StartWriting(40, 50), RecordWritten(FILE), RecordFailure("Too late.")])
def test_what_is_over_stays_as_it_is(end: list[Event], command: Command) -> None:
    given(REQUESTED, *end).when(command).then_refused(AlreadyOver)


def test_its_owner_takes_it_and_that_is_recorded_each_time() -> None:
    given(REQUESTED, STARTED, WRITTEN, TAKEN).when(Download(OWNER, NOW)).then(TAKEN)


@pytest.mark.parametrize(
    "somebody",
    [
        replace(OWNER, person_id=PersonId(UUID(int=9))),
        replace(OWNER, role="appropriate_body"),
        replace(OWNER, organisation_id=OrganisationId(UUID(int=9))),
    ],
    ids=["another person", "another role", "another organisation"],
)
@pytest.mark.parametrize("history", [[STARTED, WRITTEN], [], [FAILED], [STARTED, WRITTEN, EXPIRED]])
def test_for_anybody_else_it_does_not_exist(somebody: Owner, history: list[Event]) -> None:
    given(REQUESTED, *history).when(Download(somebody, NOW)).then_refused(NoSuchExport)


@pytest.mark.parametrize("history", [[], [STARTED]])
def test_an_unfinished_file_cannot_be_taken(history: list[Event]) -> None:
    given(REQUESTED, *history).when(Download(OWNER, NOW)).then_refused(NotReady)


def test_who_comes_for_a_failed_file_is_told_why() -> None:
    given(REQUESTED, FAILED).when(Download(OWNER, NOW)).then_refused(WritingFailed)


def test_it_can_be_taken_until_the_moment_it_expires() -> None:
    last = LATER - timedelta(microseconds=1)
    given(REQUESTED, STARTED, WRITTEN).when(Download(OWNER, last)).then(TAKEN)
    given(REQUESTED, STARTED, WRITTEN).when(Download(OWNER, LATER)).then_refused(NoLongerThere)


def test_after_its_time_it_expires_once() -> None:
    given(REQUESTED, STARTED, WRITTEN).when(Expire(LATER)).then(EXPIRED)
    given(REQUESTED, STARTED, WRITTEN, EXPIRED).when(Expire(LATER)).then()


def test_it_does_not_expire_early() -> None:
    given(REQUESTED, STARTED, WRITTEN).when(Expire(NOW)).then()


def test_an_expired_one_cannot_be_taken_even_if_the_clock_goes_back() -> None:
    given(REQUESTED, STARTED, WRITTEN, EXPIRED).when(Download(OWNER, NOW)).then_refused(NoLongerThere)


@pytest.mark.parametrize(
    "command",
    [StartWriting(1, 50), RecordWritten(FILE), RecordFailure("x"), Download(OWNER, NOW), Expire(NOW)],
)
def test_what_nobody_asked_for_does_not_exist(command: Command) -> None:
    given().when(command).then_refused(NoSuchExport)


@pytest.mark.parametrize("history", [[REQUESTED], [REQUESTED, STARTED]])
def test_an_unfinished_export_can_be_cancelled_and_once_is_enough(history: list[Event]) -> None:
    given(*history).when(Cancel(OWNER)).then(CANCELLED)
    given(*history, CANCELLED).when(Cancel(OWNER)).then()


@pytest.mark.parametrize("end", [[STARTED, WRITTEN], [FAILED], [STARTED, WRITTEN, EXPIRED]])
def test_what_is_over_cannot_be_cancelled(end: list[Event]) -> None:
    given(REQUESTED, *end).when(Cancel(OWNER)).then_refused(AlreadyOver)


def test_nobody_else_can_cancel() -> None:
    somebody = replace(OWNER, person_id=PersonId(UUID(int=9)))
    given(REQUESTED).when(Cancel(somebody)).then_refused(NoSuchExport)


def test_a_cancelled_file_cannot_be_taken() -> None:
    given(REQUESTED, STARTED, CANCELLED).when(Download(OWNER, NOW)).then_refused(WasCancelled)

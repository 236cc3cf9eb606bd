"""What is parked: an operator sees it, tries it again (events in order), or gives it up for a reason."""

import asyncio
import getpass
import json
import os
import sys
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from faststream.redis import RedisBroker
from sqlalchemy import Row, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from services.auth.consumers import AccessFollower
from services.participants.receiving import receive
from shared.bus.parking import FOLLOWS, hold_subject, park, parked_subjects, settle
from shared.bus.projection import ProjectionRunner
from shared.bus.publication import PublishedPage
from shared.contracts.access import OrganisationNamed
from shared.contracts.envelope import CloudEvent
from shared.contracts.manage_ects import OrganisationKind
from shared.database.engine import create_engine
from shared.database.provision import ServiceDatabase
from shared.parked_actions import Reason
from shared.work_queue import enqueue
from shared.work_queue.queue import claim
from shared.work_queue.queue import settle as settle_job
from tests.conftest import NewDatabase
from tests.integration.cli.conftest import CheckData, check_data
from tests.integration.shared.test_bus import eventually, running

NORTH, SOUTH = uuid4(), uuid4()


def named(position: int, name: str, organisation: UUID = NORTH) -> CloudEvent:
    """Access names an organisation."""
    told = OrganisationNamed(kind=OrganisationKind.DELIVERY_PARTNER, organisation_id=organisation, name=name)
    return CloudEvent(
        id=str(uuid4()),
        source="/access",
        type=told.type,
        subject=told.subject,
        time=datetime(2026, 3, 1, tzinfo=UTC),
        data=told.model_dump(mode="json"),
        sequence=str(position),
    )


def misnamed(position: int, name: str) -> CloudEvent:
    """An event that does not fit its contract."""
    told = named(position, name)
    data = {field: value for field, value in told.data.items() if field != "name"}
    return told.model_copy(update={"data": {**data, "title": name}})


MISFIT = "name: Field required"


@pytest.fixture
async def database(new_database: NewDatabase) -> ServiceDatabase:
    return await new_database("auth")


@pytest.fixture
async def auth(database: ServiceDatabase) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(database.service_url)
    yield engine
    await engine.dispose()


@pytest.fixture
def run(told: dict[str, str], database: ServiceDatabase) -> CheckData:
    return check_data(told, database)


async def parked(engine: AsyncEngine) -> dict[int, Row[Any]]:
    async with engine.connect() as connection:
        rows = await connection.execute(text("SELECT * FROM parked_events ORDER BY id"))
        return {row.id: row for row in rows}


async def waiting(engine: AsyncEngine) -> list[int]:
    return [number for number, row in (await parked(engine)).items() if row.settled_at is None]


def event(number: int) -> str:
    """As the commands name it."""
    return f"event-{number}"


async def actions(engine: AsyncEngine) -> list[tuple[str, str, str, str]]:
    """What is on record of the operators: about what, what, by whom, why."""
    async with engine.connect() as connection:
        rows = await connection.execute(text("SELECT * FROM parked_actions ORDER BY id"))
        return [(f"{row.about}-{row.number}", row.action, row.by, row.why) for row in rows]


async def names(engine: AsyncEngine) -> dict[Any, str]:
    async with engine.connect() as connection:
        rows = await connection.execute(text("SELECT organisation_id, name FROM organisations"))
        return {row.organisation_id: row.name for row in rows}


@pytest.fixture
async def five(auth: AsyncEngine) -> list[int]:
    """Four of one subject, the third of which does not fit its contract, and one of another."""
    async with auth.begin() as connection:
        for one, reason in (
            (named(11, "First"), "could not be applied then"),
            (named(12, "Second"), FOLLOWS),
            (misnamed(13, "Third"), FOLLOWS),
            (named(14, "Fourth"), FOLLOWS),
            (named(15, "South", SOUTH), "another trouble"),
        ):
            await park(connection, AccessFollower.name, one, reason, one.position)
    return list(await parked(auth))


class Page:
    """A feed with these events."""

    def __init__(self, *events: CloudEvent) -> None:
        self.events = events

    async def read(self, after: int, limit: int, partition: int, of: int) -> PublishedPage:
        events: Sequence[CloudEvent] = [told for told in self.events if told.position > after]
        return PublishedPage(events, events[-1].position if events else after)


async def test_what_the_projection_parked_is_listed_and_shown_whole(
    auth: AsyncEngine, run: CheckData, redis_url: str
) -> None:
    broker = RedisBroker(redis_url)
    feed = Page(named(1, "North"), misnamed(2, "North"), named(3, "Norther"))
    runner = ProjectionRunner(AccessFollower(), auth, broker, feed, partition=0, partitions=1, batch=50)

    async def two_wait() -> bool:
        return len(await waiting(auth)) == 2

    async with running(runner.run):
        await eventually(two_wait)
    await broker.stop()
    bad, behind = await waiting(auth)
    listed = await run("parked", "list", "auth")
    assert listed.exit_code == 0
    assert "2 events and 0 jobs are parked" in listed.stdout
    assert MISFIT in listed.stdout
    assert FOLLOWS in listed.stdout
    assert "Norther" not in listed.stdout, "a list is no place for what events hold"
    shown = json.loads(
        (await run("parked", "show", "auth", event(behind), "--personal-data", "--why", "Which name?")).stdout
    )
    assert (shown["type"], shown["data"]["name"]) == ("access.organisation-named.v1", "Norther")
    assert (await names(auth))[NORTH] == "North"
    assert (await run("parked", "discard", "auth", event(bad), "--why", "A trial")).exit_code == 0
    assert (await run("parked", "retry", "auth", event(behind), "--why", "It is gone")).exit_code == 0
    assert (await names(auth))[NORTH] == "Norther"


async def test_a_retry_goes_on_in_order_and_stops_at_the_first_that_fails(
    auth: AsyncEngine, run: CheckData, five: list[int]
) -> None:
    first, second, third, fourth, south = five
    result = await run("parked", "retry", "auth", event(first), "--why", "The cause is gone")
    assert result.exit_code == 1
    assert result.stdout.splitlines() == [f"{event(first)}: applied", f"{event(second)}: applied"]
    assert result.stderr.splitlines() == [f"{event(third)}: still not applied: {MISFIT}"]
    assert await names(auth) == {NORTH: "Second"}
    assert await waiting(auth) == [third, fourth, south]
    rows = await parked(auth)
    assert rows[first].settled_how == "retried"
    assert await actions(auth) == [
        (event(number), "retried", getpass.getuser(), "The cause is gone")
        for number in (first, second, third)
    ], "the try that failed is on record too"
    assert (rows[third].tries, rows[fourth].tries) == (2, 1)
    assert rows[third].reason == MISFIT, "the reason is the latest"


async def test_what_waits_behind_another_is_not_tried_before_it(
    auth: AsyncEngine, run: CheckData, five: list[int]
) -> None:
    result = await run("parked", "retry", "auth", event(five[1]), "--why", "Hurry")
    assert result.exit_code == 2
    assert f"{event(five[0])} of the same subject waits before it" in result.stderr
    assert await waiting(auth) == five
    assert await names(auth) == {}


async def test_after_a_discard_the_rest_can_be_retried(
    auth: AsyncEngine, run: CheckData, five: list[int]
) -> None:
    first, _, third, fourth, south = five
    await run("parked", "retry", "auth", event(first), "--why", "The cause is gone")
    discarded = await run("parked", "discard", "auth", event(third), "--why", "It was a trial")
    assert (discarded.exit_code, discarded.stdout) == (0, f"{event(third)}: discarded\n")
    assert (
        await run("parked", "retry", "auth", event(fourth), "--why", "The one before is gone")
    ).exit_code == 0
    assert await names(auth) == {NORTH: "Fourth"}
    assert await waiting(auth) == [south]
    row = (await parked(auth))[third]
    assert row.settled_how == "discarded"
    assert (event(third), "discarded", getpass.getuser(), "It was a trial") in await actions(auth)
    assert row.event["data"]["title"] == "Third", "it stays on record"


@pytest.mark.parametrize("verb", ["retry", "discard"])
async def test_a_reason_is_asked_for(auth: AsyncEngine, run: CheckData, five: list[int], verb: str) -> None:
    result = await run("parked", verb, "auth", event(five[4]))
    assert result.exit_code == 2
    assert "--why" in result.stderr
    assert await waiting(auth) == five


@pytest.mark.parametrize("verb", ["show", "retry", "discard"])
async def test_a_number_that_does_not_wait_is_said_so(run: CheckData, verb: str) -> None:
    for name in ("event-99", "job-99"):
        result = await run("parked", verb, "auth", name, *([] if verb == "show" else ["--why", "Because"]))
        assert result.exit_code == 2
        assert f"{name} is not parked" in result.stderr


async def test_a_name_that_is_none_is_refused(run: CheckData) -> None:
    result = await run("parked", "show", "auth", "99")
    assert result.exit_code == 2
    assert "'99' is not a name like event-3 or job-7" in result.stderr


async def test_what_is_settled_is_not_tried_again(auth: AsyncEngine, run: CheckData, five: list[int]) -> None:
    south = event(five[4])
    assert (await run("parked", "retry", "auth", south, "--why", "The cause is gone")).exit_code == 0
    assert (await run("parked", "retry", "auth", south, "--why", "Once more")).exit_code == 2
    assert (await run("parked", "discard", "auth", south, "--why", "Once more")).exit_code == 2
    assert await actions(auth) == [(south, "retried", getpass.getuser(), "The cause is gone")]


async def test_the_order_is_that_of_parking_also_where_positions_say_nothing(
    auth: AsyncEngine, run: CheckData
) -> None:
    """What came otherwise than by the bus is parked at negative positions made of its content."""
    async with auth.begin() as connection:
        for position, name in ((-5, "First"), (-9, "Second"), (-1, "Third")):
            await park(connection, AccessFollower.name, named(1, name), FOLLOWS, position)
    first = (await waiting(auth))[0]
    assert (await run("parked", "retry", "auth", event(first), "--why", "The cause is gone")).exit_code == 0
    assert await names(auth) == {NORTH: "Third"}


async def test_what_is_not_even_an_event_stays_parked_and_is_not_printed(
    new_database: NewDatabase, told: dict[str, str]
) -> None:
    database = await new_database("participants")
    engine = create_engine(database.service_url)
    await receive(engine, [{"specversion": "1.0", "subject": "p-1", "name": "Zebedee Quill"}])
    run = check_data(told, database)
    (number,) = await waiting(engine)
    result = await run("parked", "retry", "participants", event(number), "--why", "Try")
    assert result.exit_code == 1
    assert isinstance(result.exception, SystemExit), "no stack trace"
    assert f"{event(number)}: still not applied: id: Field required" in result.stderr
    assert "Zebedee" not in result.output
    assert await waiting(engine) == [number]
    await engine.dispose()


async def test_show_tells_the_shape_and_the_ids_but_nothing_about_people(
    auth: AsyncEngine, run: CheckData, five: list[int]
) -> None:
    result = await run("parked", "show", "auth", event(five[0]))
    shown = json.loads(result.stdout)
    assert shown["type"] == OrganisationNamed.type
    assert shown["data"]["organisation_id"] == str(NORTH)
    assert shown["data"]["name"] == "(text, 5 characters)"
    assert "First" not in result.stdout
    assert await actions(auth) == []


async def test_the_content_is_shown_for_a_reason_only_and_that_is_on_record(
    auth: AsyncEngine, run: CheckData, five: list[int]
) -> None:
    name = event(five[0])
    refused = await run("parked", "show", "auth", name, "--personal-data")
    assert (refused.exit_code, refused.stdout) == (2, "")
    shown = await run(
        "parked", "show", "auth", name, "--personal-data", "--why", "Which one is it?", "--by", "noor"
    )
    assert json.loads(shown.stdout)["data"]["name"] == "First"
    assert await actions(auth) == [(name, "shown", "noor", "Which one is it?")]


@pytest.mark.parametrize("verb", ["retry", "discard"])
async def test_a_reason_of_spaces_is_none(
    auth: AsyncEngine, run: CheckData, five: list[int], verb: str
) -> None:
    assert (await run("parked", verb, "auth", event(five[4]), "--why", "  ")).exit_code == 2
    assert await waiting(auth) == five


async def a_parked_job(engine: AsyncEngine) -> str:
    """A job about a person that was given up after three tries; returns its name."""
    async with engine.begin() as connection:
        await enqueue(
            connection, "send_link", str(NORTH), {"email": "zoe@example.org", "link_id": str(SOUTH)}
        )
        (job,) = await claim(connection, ["send_link"], 1, 30, 60)
        await settle_job(connection, job, "parked", "ConnectError")
        await connection.execute(text("UPDATE work SET tries = 3"))
    return f"job-{job.id}"


async def the_job(engine: AsyncEngine) -> Row[Any]:
    async with engine.connect() as connection:
        return (await connection.execute(text("SELECT *, due_at <= now() AS is_due FROM work"))).one()


async def test_parked_jobs_are_listed_and_shown_without_what_they_tell_about_people(
    auth: AsyncEngine, run: CheckData
) -> None:
    name = await a_parked_job(auth)
    listed = await run("parked", "list", "auth")
    assert "0 events and 1 jobs are parked" in listed.stdout
    for told in (name, "send_link", str(NORTH), "tries 3", "ConnectError"):
        assert told in listed.stdout
    shown = await run("parked", "show", "auth", name)
    assert json.loads(shown.stdout)["data"] == {"email": "(text, 15 characters)", "link_id": str(SOUTH)}
    assert "zoe@" not in listed.stdout + shown.stdout
    whole = await run("parked", "show", "auth", name, "--personal-data", "--why", "Is it a typing error?")
    assert json.loads(whole.stdout)["data"]["email"] == "zoe@example.org"
    assert await actions(auth) == [(name, "shown", getpass.getuser(), "Is it a typing error?")]


async def test_a_job_that_is_retried_is_due_with_its_tries_reset_once(
    auth: AsyncEngine, run: CheckData
) -> None:
    name = await a_parked_job(auth)
    retried = await run("parked", "retry", "auth", name, "--why", "Mail works again", "--by", "noor")
    assert (retried.exit_code, retried.stdout) == (0, f"{name}: is due again\n")
    job = await the_job(auth)
    assert (job.state, job.tries, job.is_due, job.settled_at) == ("due", 0, True, None)
    assert job.data["email"] == "zoe@example.org"
    assert (await run("parked", "retry", "auth", name, "--why", "Again")).exit_code == 2
    assert await actions(auth) == [(name, "retried", "noor", "Mail works again")]


async def test_a_job_that_is_discarded_is_over_and_its_data_forgotten(
    auth: AsyncEngine, run: CheckData
) -> None:
    name = await a_parked_job(auth)
    discarded = await run("parked", "discard", "auth", name, "--why", "She asked again meanwhile")
    assert (discarded.exit_code, discarded.stdout) == (0, f"{name}: discarded\n")
    job = await the_job(auth)
    assert (job.state, job.data) == ("discarded", {})
    assert (await run("parked", "retry", "auth", name, "--why", "Sorry")).exit_code == 2
    assert await actions(auth) == [(name, "discarded", getpass.getuser(), "She asked again meanwhile")]


async def test_nobody_can_change_the_record(auth: AsyncEngine, run: CheckData, five: list[int]) -> None:
    await run("parked", "discard", "auth", event(five[4]), "--why", "A trial")
    for statement in ("UPDATE parked_actions SET why = 'x'", "DELETE FROM parked_actions"):
        with pytest.raises(DBAPIError):
            async with auth.begin() as connection:
                await connection.execute(text(statement))


async def test_events_that_arrive_during_a_retry_are_applied_behind_it(
    auth: AsyncEngine, run: CheckData, redis_url: str
) -> None:
    """The reader has seen that the subject waits, and parks the new one only after the first is applied."""
    async with auth.begin() as connection:
        await park(connection, AccessFollower.name, named(1, "First"), "a reason", 1)
    (first,) = await waiting(auth)
    async with auth.connect() as reader:
        assert await parked_subjects(reader, AccessFollower.name, {str(NORTH)}) == {str(NORTH)}
        retrying = asyncio.ensure_future(run("parked", "retry", "auth", event(first), "--why", "Now"))
        await asyncio.sleep(1.5)
        assert not retrying.done()
        await park(reader, AccessFollower.name, named(2, "Second"), FOLLOWS, 2)
        await reader.commit()
    result = await retrying
    assert (result.exit_code, len(result.stdout.splitlines())) == (0, 2)
    assert await names(auth) == {NORTH: "Second"}
    assert await waiting(auth) == []


async def test_a_reader_waits_for_a_retry_under_way_and_then_parks_nothing(auth: AsyncEngine) -> None:
    async with auth.begin() as connection:
        await park(connection, AccessFollower.name, named(1, "First"), "a reason", 1)
    (first,) = await waiting(auth)
    async with auth.connect() as operator, auth.connect() as reader:
        await hold_subject(operator, AccessFollower.name, str(NORTH))
        await settle(operator, first, "retried", Reason("noor", "Now"))
        looking = asyncio.create_task(parked_subjects(reader, AccessFollower.name, {str(NORTH), "other"}))
        await asyncio.sleep(0.3)
        assert not looking.done()
        await operator.commit()
        assert await looking == frozenset()


async def test_two_operators_who_retry_at_once_apply_each_event_once_and_in_order(
    auth: AsyncEngine,
    run: CheckData,
    told: dict[str, str],
    database: ServiceDatabase,
    plain_log: None,
) -> None:
    async with auth.begin() as connection:
        for position in range(1, 11):
            await park(
                connection, AccessFollower.name, named(position, f"Name {position}"), FOLLOWS, position
            )
    first = event((await waiting(auth))[0])
    command = (sys.executable, "-m", "services", "parked", "retry", "auth", first, "--why", "Now", "--by")
    environment = {**os.environ, **told, "CHECK_DATA_DATABASE_URL": database.service_url}
    operators = [
        await asyncio.create_subprocess_exec(*command, who, env=environment) for who in ("noor", "sam")
    ]
    await asyncio.gather(*(operator.wait() for operator in operators))
    while left := await waiting(auth):  # who comes second stops, and may have stopped the first as well
        assert (await run("parked", "retry", "auth", event(left[0]), "--why", "The rest")).exit_code == 0
    async with auth.connect() as connection:
        log = (await connection.scalars(text("SELECT name FROM names_log ORDER BY id"))).all()
    assert log == [f"Name {position}" for position in range(1, 11)]
    recorded = [about for about, action, _, _ in await actions(auth) if action == "retried"]
    assert len(recorded) == len(set(recorded)) == 10


@pytest.fixture
async def plain_log(database: ServiceDatabase) -> None:
    """Notes each name that is written, in order."""
    owner = create_engine(database.owner_url)
    async with owner.begin() as connection:
        for statement in (
            "CREATE TABLE names_log (id bigint GENERATED ALWAYS AS IDENTITY, name text)",
            "GRANT SELECT, INSERT ON names_log TO auth_service",
            """
            CREATE FUNCTION note_name() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN INSERT INTO names_log (name) VALUES (NEW.name); RETURN NEW; END $$
            """,
            "CREATE TRIGGER note_name AFTER INSERT OR UPDATE ON organisations"
            " FOR EACH ROW EXECUTE FUNCTION note_name()",
        ):
            await connection.execute(text(statement))
    await owner.dispose()


async def test_a_retry_that_is_killed_in_the_middle_leaves_what_is_not_applied(
    auth: AsyncEngine, run: CheckData, told: dict[str, str], database: ServiceDatabase, five: list[int]
) -> None:
    """It hangs in the second event's transaction, since somebody holds the row that it writes."""
    first, _, third, fourth, south = five
    assert (await run("parked", "retry", "auth", event(first), "--why", "Now")).exit_code == 1
    await mend(auth, third)
    async with auth.connect() as holder:
        await holder.execute(text("SELECT * FROM organisations FOR UPDATE"))
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "services", "parked", "retry", "auth", event(third), "--why", "Now",
            env={**os.environ, **told, "CHECK_DATA_DATABASE_URL": database.service_url},
        )  # fmt: skip
        await eventually(lambda: somebody_waits_for_a_row(auth))
        process.kill()
        await process.wait()
        await holder.rollback()
    await eventually(lambda: nobody_is_in_a_transaction(auth))
    assert await waiting(auth) == [third, fourth, south]
    assert await names(auth) == {NORTH: "Second"}
    assert (await run("parked", "retry", "auth", event(third), "--why", "Once more")).exit_code == 0
    assert await names(auth) == {NORTH: "Fourth"}


async def mend(engine: AsyncEngine, number: int) -> None:
    """Let the event fit its contract."""
    async with engine.begin() as connection:
        await connection.execute(
            text("UPDATE parked_events SET event = CAST(:event AS json) WHERE id = :id"),
            {"event": named(13, "Third").model_dump_json(exclude_none=True), "id": number},
        )


ELSEWHERE = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"


async def somebody_waits_for_a_row(engine: AsyncEngine) -> bool:
    async with engine.connect() as connection:
        return bool(await connection.scalar(text(f"SELECT bool_or(wait_event_type = 'Lock') {ELSEWHERE}")))


async def nobody_is_in_a_transaction(engine: AsyncEngine) -> bool:
    async with engine.connect() as connection:
        return bool(await connection.scalar(text(f"SELECT bool_and(xact_start IS NULL) {ELSEWHERE}")))

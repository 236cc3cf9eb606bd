"""Parked events: an operator sees them, tries them again in order, or gives them up for a reason."""

import getpass
import json
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from faststream.redis import RedisBroker
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.auth.consumers import AccessFollower
from services.participants.receiving import receive
from shared.bus.parking import FOLLOWS, park
from shared.bus.projection import ProjectionRunner
from shared.bus.publication import PublishedPage
from shared.contracts.access import OrganisationNamed
from shared.contracts.envelope import CloudEvent
from shared.contracts.manage_ects import OrganisationKind
from shared.database.engine import create_engine
from shared.database.provision import ServiceDatabase
from tests.conftest import NewDatabase
from tests.integration.cli.conftest import CheckData, check_data
from tests.integration.shared.test_bus import eventually, running

NORTH, SOUTH = uuid4(), uuid4()


def named(position: int, name: str, organisation: UUID = NORTH) -> CloudEvent:
    """Access names an organisation."""
    event = OrganisationNamed(kind=OrganisationKind.DELIVERY_PARTNER, organisation_id=organisation, name=name)
    return CloudEvent(
        id=str(uuid4()),
        source="/access",
        type=event.type,
        subject=event.subject,
        time=datetime(2026, 3, 1, tzinfo=UTC),
        data=event.model_dump(mode="json"),
        sequence=str(position),
    )


def misnamed(position: int, name: str) -> CloudEvent:
    """An event that does not fit its contract."""
    event = named(position, name)
    data = {field: value for field, value in event.data.items() if field != "name"}
    return event.model_copy(update={"data": {**data, "title": name}})


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


async def names(engine: AsyncEngine) -> dict[Any, str]:
    async with engine.connect() as connection:
        rows = await connection.execute(text("SELECT organisation_id, name FROM organisations"))
        return {row.organisation_id: row.name for row in rows}


@pytest.fixture
async def five(auth: AsyncEngine) -> list[int]:
    """Four of one subject, the third of which does not fit its contract, and one of another."""
    async with auth.begin() as connection:
        for event, reason in (
            (named(11, "First"), "ValueError: it could not be applied then"),
            (named(12, "Second"), FOLLOWS),
            (misnamed(13, "Third"), FOLLOWS),
            (named(14, "Fourth"), FOLLOWS),
            (named(15, "South", SOUTH), "ValueError: another trouble"),
        ):
            await park(connection, AccessFollower.name, event, reason, event.position)
    return list(await parked(auth))


class Page:
    """A feed with these events."""

    def __init__(self, *events: CloudEvent) -> None:
        self._events = events

    async def read(self, after: int, limit: int, partition: int, of: int) -> PublishedPage:
        events: Sequence[CloudEvent] = [event for event in self._events if event.position > after]
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
    assert "2 waiting" in listed.stdout
    assert MISFIT in listed.stdout
    assert FOLLOWS in listed.stdout
    assert "Norther" not in listed.stdout, "a list is no place for what events hold"
    shown = json.loads((await run("parked", "show", "auth", str(behind))).stdout)
    assert (shown["type"], shown["data"]["name"]) == ("access.organisation-named.v1", "Norther")
    assert (await names(auth))[NORTH] == "North"
    assert (await run("parked", "discard", "auth", str(bad), "--why", "A trial")).exit_code == 0
    assert (await run("parked", "retry", "auth", str(behind), "--why", "It is gone")).exit_code == 0
    assert (await names(auth))[NORTH] == "Norther"


async def test_a_retry_goes_on_in_order_and_stops_at_the_first_that_fails(
    auth: AsyncEngine, run: CheckData, five: list[int]
) -> None:
    first, second, third, fourth, south = five
    result = await run("parked", "retry", "auth", str(first), "--why", "The cause is gone")
    assert result.exit_code == 1
    assert result.stdout.splitlines() == [f"{first}: applied", f"{second}: applied"]
    assert result.stderr.splitlines() == [f"{third}: still not applied: {MISFIT}"]
    assert await names(auth) == {NORTH: "Second"}
    assert await waiting(auth) == [third, fourth, south]
    rows = await parked(auth)
    assert (rows[first].settled_how, rows[first].settled_by) == ("retried", getpass.getuser())
    assert rows[first].settled_why == "The cause is gone"
    assert (rows[third].tries, rows[fourth].tries) == (2, 1)
    assert rows[third].reason == MISFIT, "the reason is the latest"


async def test_what_waits_behind_another_is_not_tried_before_it(
    auth: AsyncEngine, run: CheckData, five: list[int]
) -> None:
    result = await run("parked", "retry", "auth", str(five[1]), "--why", "Hurry")
    assert result.exit_code == 2
    assert f"event {five[0]} of the same subject waits before it" in result.stderr
    assert await waiting(auth) == five
    assert await names(auth) == {}


async def test_after_a_discard_the_rest_can_be_retried(
    auth: AsyncEngine, run: CheckData, five: list[int]
) -> None:
    first, _, third, fourth, south = five
    await run("parked", "retry", "auth", str(first), "--why", "The cause is gone")
    discarded = await run("parked", "discard", "auth", str(third), "--why", "It was a trial")
    assert (discarded.exit_code, discarded.stdout) == (0, f"{third}: discarded\n")
    assert (
        await run("parked", "retry", "auth", str(fourth), "--why", "The one before is gone")
    ).exit_code == 0
    assert await names(auth) == {NORTH: "Fourth"}
    assert await waiting(auth) == [south]
    row = (await parked(auth))[third]
    assert (row.settled_how, row.settled_by) == ("discarded", getpass.getuser())
    assert row.settled_why == "It was a trial"
    assert row.event["data"]["title"] == "Third", "it stays on record"


@pytest.mark.parametrize("verb", ["retry", "discard"])
async def test_a_reason_is_asked_for(auth: AsyncEngine, run: CheckData, five: list[int], verb: str) -> None:
    result = await run("parked", verb, "auth", str(five[4]))
    assert result.exit_code == 2
    assert "--why" in result.stderr
    assert await waiting(auth) == five


@pytest.mark.parametrize("verb", ["show", "retry", "discard"])
async def test_a_number_that_does_not_wait_is_said_so(run: CheckData, verb: str) -> None:
    result = await run("parked", verb, "auth", "99", *([] if verb == "show" else ["--why", "Because"]))
    assert result.exit_code == 2
    assert "no parked event 99 waits" in result.stderr


async def test_what_is_settled_is_not_tried_again(auth: AsyncEngine, run: CheckData, five: list[int]) -> None:
    south = str(five[4])
    assert (await run("parked", "retry", "auth", south, "--why", "The cause is gone")).exit_code == 0
    assert (await run("parked", "retry", "auth", south, "--why", "Once more")).exit_code == 2
    assert (await run("parked", "discard", "auth", south, "--why", "Once more")).exit_code == 2
    assert (await parked(auth))[five[4]].settled_why == "The cause is gone"


async def test_the_order_is_that_of_parking_also_where_positions_say_nothing(
    auth: AsyncEngine, run: CheckData
) -> None:
    """What came otherwise than by the bus is parked at negative positions made of its content."""
    async with auth.begin() as connection:
        for position, name in ((-5, "First"), (-9, "Second"), (-1, "Third")):
            await park(connection, AccessFollower.name, named(1, name), FOLLOWS, position)
    first = (await waiting(auth))[0]
    assert (await run("parked", "retry", "auth", str(first), "--why", "The cause is gone")).exit_code == 0
    assert await names(auth) == {NORTH: "Third"}


async def test_what_is_not_even_an_event_stays_parked_and_is_not_printed(
    new_database: NewDatabase, told: dict[str, str]
) -> None:
    database = await new_database("participants")
    engine = create_engine(database.service_url)
    await receive(engine, [{"specversion": "1.0", "subject": "p-1", "name": "Zebedee Quill"}])
    run = check_data(told, database)
    (number,) = await waiting(engine)
    result = await run("parked", "retry", "participants", str(number), "--why", "Try")
    assert result.exit_code == 1
    assert isinstance(result.exception, SystemExit), "no stack trace"
    assert f"{number}: still not applied: id: Field required" in result.stderr
    assert "Zebedee" not in result.output
    assert await waiting(engine) == [number]
    await engine.dispose()

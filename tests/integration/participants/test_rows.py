"""All rows of a list, as a stream for an export."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import orjson
import pytest
from starlette.requests import ClientDisconnect
from starlette.types import Message

from services.participants.ndjson import answer_in_lines
from shared.contracts import manage_ects as m
from shared.contracts.participants import EXPORT_COLUMNS
from tests.integration.participants.conftest import Participants
from tests.integration.participants.world import Hub, World


async def lines(participants: Participants, partner: Any, params: dict[str, Any]) -> list[Any]:
    answer = await participants.get("/participants/rows", partner, params)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/x-ndjson"
    return [orjson.loads(line) for line in answer.content.splitlines()]


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"q": "smith"},
        {"role": "ect", "academic_year": "2025"},
        {"status": "participant_deferred"},
        {"q": "no-one"},
        {"q": "smith", "sort": "-name"},
        {"sort": "-changed"},
    ],
)
async def test_the_rows_are_those_of_the_list_in_its_order(
    participants: Participants, north: Hub, params: dict[str, Any]
) -> None:
    page = await participants.page(north.north, **params)
    first, *rows, last = await lines(participants, north.north, params)
    assert first == {"total": page["total"]}
    assert last == {"end": page["total"]}
    assert [row[0] for row in rows] == [row["full_name"] for row in page["rows"]]


async def test_a_row_has_the_words_of_the_file(participants: Participants, north: Hub) -> None:
    _, zoe, _ = await lines(participants, north.north, {"q": "zoe"})
    row = dict(zip(EXPORT_COLUMNS, zoe, strict=True))
    del row["email_address"]
    assert row == {
        "full_name": "Zoë O’Connor",
        "trn": "0012345",
        "role": "Early career teacher",
        "lead_provider": "Brightwater Teacher Development",
        "school": "Oakfield Primary School",
        "school_unique_reference_number": "100001",
        "academic_year": "2025",
        "training_status": "active",
        "status": "Training or eligible for training",
    }
    _, mia, _ = await lines(participants, north.north, {"q": "mia"})
    assert mia[3] == "Mentor"
    _, adam, _ = await lines(participants, north.north, {"q": "adam"})
    assert adam[2] is None


async def test_a_long_list_comes_whole(fresh: Participants) -> None:
    world = World()
    provider, partner, school = world.lead_provider("L"), world.delivery_partner("P"), world.school("S")
    partnership = world.partnership(school, provider, partner)
    for number in range(1_100):
        world.participant(f"Person {number:04}", school, partnership, role=m.ParticipantRole.ECT)
    for start in range(0, len(world.told), 1_000):
        await fresh.send(world.told[start : start + 1_000])
    first, *rows, last = await lines(fresh, partner, {})
    assert (first, last) == ({"total": 1_100}, {"end": 1_100})
    assert [row[0] for row in rows] == [f"Person {number:04}" for number in range(1_100)]


async def test_a_reader_that_goes_away_frees_what_the_stream_held() -> None:
    closed = False

    async def values() -> AsyncGenerator[object, None]:
        nonlocal closed
        try:
            for number in range(1_000_000):
                yield [str(number)]
        finally:
            closed = True

    async def send(message: Message) -> None:
        if message.get("more_body"):
            raise OSError("the reader is gone")

    async def receive() -> Message:
        await asyncio.Event().wait()
        raise AssertionError("unreachable")

    answer = await answer_in_lines(values())
    with pytest.raises((OSError, ClientDisconnect)):
        await answer({"type": "http", "asgi": {"spec_version": "2.4"}}, receive, send)
    assert closed

import asyncio

import pytest
from starlette.types import Message, Receive, Scope, Send

from services.participants.precedence import PACE, PATIENCE_SECONDS, PeopleFirst, Precedence

SOON = PATIENCE_SECONDS / 5
TENTH_OF_A_SECOND = PACE // 10


async def seconds_of(step: asyncio.Task[None]) -> float:
    now = asyncio.get_running_loop().time
    began = now()
    await step
    return now() - began


async def test_a_copy_reads_on_when_the_one_who_waits_is_answered() -> None:
    precedence = Precedence()
    with precedence.somebody_waits():
        reading = asyncio.create_task(precedence.begin_piece())
        await asyncio.sleep(SOON)
        assert not reading.done()
    await asyncio.sleep(SOON)
    assert reading.done()


async def test_among_several_who_wait_the_last_answer_counts() -> None:
    precedence = Precedence()
    with precedence.somebody_waits():
        with precedence.somebody_waits():
            reading = asyncio.create_task(precedence.begin_piece())
            await asyncio.sleep(SOON)
        await asyncio.sleep(SOON)
        assert not reading.done()
    await reading


async def test_on_a_day_without_a_pause_files_get_done_too() -> None:
    precedence = Precedence()
    with precedence.somebody_waits():
        waited = await seconds_of(asyncio.create_task(precedence.begin_piece()))
    assert waited >= PATIENCE_SECONDS - 0.001


async def test_copies_keep_to_a_pace_while_people_are_about() -> None:
    precedence = Precedence()
    with precedence.somebody_waits():
        pass
    await precedence.begin_piece()
    other = asyncio.create_task(precedence.begin_piece())
    rested = await seconds_of(asyncio.create_task(precedence.end_piece(TENTH_OF_A_SECOND)))
    assert rested >= 0.099
    await other  # it had to wait for that


async def test_with_nobody_about_a_copy_goes_as_fast_as_it_can() -> None:
    precedence = Precedence()
    await precedence.begin_piece()
    assert await seconds_of(asyncio.create_task(precedence.end_piece(10 * TENTH_OF_A_SECOND))) < 0.9


async def test_who_is_cancelled_keeps_no_turn() -> None:
    precedence = Precedence()
    with precedence.somebody_waits():
        waiting = asyncio.create_task(precedence.begin_piece())
        await asyncio.sleep(SOON)
        waiting.cancel()
        await asyncio.wait([waiting])
    assert precedence.is_free
    await precedence.begin_piece()
    resting = asyncio.create_task(precedence.end_piece(TENTH_OF_A_SECOND))
    await asyncio.sleep(SOON)
    resting.cancel()
    await asyncio.wait([resting])
    assert precedence.is_free


@pytest.mark.parametrize(
    ("path", "first"),
    [
        ("/participants", True),
        ("/participants/3f0e", True),
        ("/participants/summary", True),
        ("/participants/rows", False),
        ("/events", False),
        ("/health/ready", False),
    ],
)
async def test_pages_come_before_the_rows_of_files(path: str, first: bool) -> None:
    precedence = Precedence()
    about: list[bool] = []

    async def app(_scope: Scope, _receive: Receive, _send: Send) -> None:
        about.append(precedence.people_are_about())

    async def receive() -> Message:
        raise AssertionError("nothing is read")

    async def send(_message: Message) -> None:
        raise AssertionError("nothing is sent")

    await PeopleFirst(app, precedence)({"type": "http", "path": path}, receive, send)
    assert about == [first]

"""When calls are let through to a service, and when they are not."""

import asyncio

import pytest

from services.gateway import circuit as circuits
from services.gateway.circuit import Circuit, NotCalled

PAUSE = 0.05


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(circuits, "WAIT_SECONDS", PAUSE)


class Failed(Exception):
    pass


def circuit(calls_at_once: int = 10) -> Circuit:
    return Circuit("auth", failures=3, pause_seconds=PAUSE, calls_at_once=calls_at_once)


async def call(circuit: Circuit, *, fails: bool = False, until: asyncio.Event | None = None) -> str:
    """What became of one call."""
    try:
        async with circuit.call():
            if until is not None:
                await until.wait()
            if fails:
                raise Failed
    except NotCalled as reason:
        return str(reason)
    except Failed:
        return "failed"
    return "answered"


async def opened() -> Circuit:
    found = circuit()
    assert [await call(found, fails=True) for _ in range(4)] == ["failed"] * 3 + ["open"]
    return found


async def test_failures_in_a_row_open_it() -> None:
    assert await call(await opened()) == "open"


async def test_an_answer_in_between_begins_the_count_anew() -> None:
    found = circuit()
    fails = (True, True, False, True, True, False)
    assert "open" not in [await call(found, fails=each) for each in fails]


async def test_after_the_pause_one_call_tries_and_its_answer_closes_it() -> None:
    found = await opened()
    await asyncio.sleep(PAUSE * 1.2)
    answered = asyncio.Event()
    first = asyncio.create_task(call(found, until=answered))
    await asyncio.sleep(0)
    assert [await call(found) for _ in range(3)] == ["open"] * 3
    answered.set()
    assert await first == "answered"
    assert await call(found) == "answered"


async def test_when_the_try_fails_it_stays_open_for_another_pause() -> None:
    found = await opened()
    await asyncio.sleep(PAUSE * 1.2)
    assert await call(found, fails=True) == "failed"
    assert await call(found) == "open"
    await asyncio.sleep(PAUSE * 1.2)
    assert await call(found) == "answered"


async def test_no_more_wait_for_a_slow_service_than_it_may_have() -> None:
    found = circuit(calls_at_once=2)
    answered = asyncio.Event()
    slow = [asyncio.create_task(call(found, until=answered)) for _ in range(2)]
    await asyncio.sleep(0)
    assert await call(found) == "busy"
    answered.set()
    assert await asyncio.gather(*slow) == ["answered", "answered"]
    assert await call(found) == "answered"


async def test_many_at_the_same_moment_are_served_one_after_the_other() -> None:
    found = circuit(calls_at_once=2)

    async def quick_call() -> str:
        async with found.call():
            await asyncio.sleep(0)
        return "answered"

    assert await asyncio.gather(*(quick_call() for _ in range(50))) == ["answered"] * 50


async def test_a_call_that_was_given_up_does_not_hold_its_place() -> None:
    found = circuit(calls_at_once=1)
    waiting = asyncio.create_task(call(found, until=asyncio.Event()))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert await call(found) == "answered"

"""Rows follow the log when several processes write at once, and when somebody cannot be derived."""

import asyncio
import random
from collections.abc import Callable
from concurrent.futures import Executor, Future
from functools import partial
from typing import Any

from sqlalchemy import text

from services.participants.derivation import Means, derive_all_due
from services.participants.locks import deriving
from services.participants.received_log import mark
from shared.database.provision import ServiceDatabase
from tests.integration.participants.conftest import MovingClock, Participants, serving
from tests.integration.participants.test_receiving import forget_everything, read_model, story_with_a_mentor
from tests.integration.participants.world import as_json, hub


async def test_two_processes_that_take_events_at_once_give_the_same_rows(
    fresh: Participants, database: ServiceDatabase, redis_url: str
) -> None:
    made = story_with_a_mentor()
    await fresh.send(made.told)
    expected = await read_model(fresh)
    await forget_everything(fresh)
    events = list(made.told)
    random.Random(7).shuffle(events)
    batches = [events[start : start + 4] for start in range(0, len(events), 4)]
    async with serving(database, redis_url, MovingClock()) as other:
        senders = (fresh, other)
        await asyncio.gather(*(senders[n % 2].send(batch) for n, batch in enumerate(batches)))
        await fresh.is_up_to_date()
    assert await read_model(fresh) == expected


class Late(Executor):
    """Does what it is asked for when it is told to."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()

    def submit(self, do: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        self._future: Future[Any] = Future()
        self._do = partial(do, *args, **kwargs)
        self.asked.set()
        return self._future

    def go_on(self) -> None:
        self._future.set_result(self._do())


async def test_what_was_read_before_somebody_else_derived_it_is_not_written(fresh: Participants) -> None:
    made = hub()
    zoe, executor = made.people["zoe"], Late()
    await fresh.send(made.world.told)
    async with fresh.engine.begin() as turn:
        await deriving(turn)  # the service waits
        async with fresh.engine.begin() as connection:
            await mark(connection, {zoe})
        slow = asyncio.create_task(derive_all_due(fresh.engine.begin, Means(10, executor)))
        await asyncio.wait_for(executor.asked.wait(), 10)
    already = len(made.world.told)
    made.world.validate(zoe, "8877665")
    await fresh.send(made.world.told[already:])
    executor.go_on()
    assert await slow == 1
    assert await fresh.names(made.north, q="8877665") == ["Zoë O’Connor"]


async def test_one_who_cannot_be_derived_is_left_aside_and_keeps_its_last_rows(fresh: Participants) -> None:
    made = hub()
    zoe = made.people["zoe"]
    await fresh.send(made.world.told)
    async with fresh.engine.begin() as connection:
        # What no check would let in, as a mistake in the code might.
        await connection.execute(
            text(
                "INSERT INTO received_events (event_id, subject, type, sequence, time, data)"
                " VALUES ('broken', :zoe, 'manage-ects.trn-validated.v1', 999, now(), '{}')"
            ),
            {"zoe": zoe},
        )
    already = len(made.world.told)
    made.world.validate(made.people["adam"], "2222222")
    made.world.validate(zoe, "0012345")
    answer = await fresh.post(as_json(made.world.told[already:]))
    assert answer.status_code == 200
    await fresh.becomes("SELECT count(*) FROM derivations_due WHERE failure IS NULL", 0)
    assert await fresh.rows("SELECT participant_id, failure FROM derivations_due") == [
        (zoe, "ValidationError")
    ]
    assert await fresh.names(made.north, q="2222222") == ["Adam Smith"]
    assert await fresh.names(made.north, q="zoe") == ["Zoë O’Connor"]

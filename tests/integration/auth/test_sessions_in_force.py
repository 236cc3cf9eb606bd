"""What pages ask and what the rest of auth asks say the same of a session: whether it is in force."""

from datetime import timedelta
from typing import Final

import pytest
from sqlalchemy import text

from services.auth.domain.session import SessionOver
from services.auth.session_lookup import NOTE_EVERY, NOTE_USE, SessionLookup
from services.auth.sessions import find_session
from shared.contracts.roles import Role
from tests.integration.auth.running import SECOND_GRANT, Running, granted

NO_ROLE: Final = "UPDATE sessions SET grant_id = NULL"
CHOSEN_GONE: Final = "DELETE FROM grants WHERE role = 'delivery_partner'"
NO_GRANT: Final = "DELETE FROM grants"


async def look_up(auth: Running, secret: str) -> bool:
    lookup: SessionLookup = auth.app.state.auth.lookup
    try:
        await lookup.in_force(secret)
    except SessionOver:
        return False
    return True


async def find(auth: Running, secret: str) -> bool:
    async with auth.app.state.backbone.engine.connect() as connection:
        try:
            await find_session(connection, secret, auth.clock.now)
        except SessionOver:
            return False
    return True


async def run(auth: Running, *statements: str) -> None:
    async with auth.app.state.backbone.engine.begin() as connection:
        for statement in statements:
            await connection.execute(text(statement), {"now": auth.clock.now} if ":now" in statement else {})


@pytest.mark.parametrize(
    ("changes", "in_force"),
    [
        pytest.param([], True, id="as it began"),
        pytest.param(["UPDATE sessions SET ended_at = :now"], False, id="ended"),
        pytest.param(["UPDATE sessions SET idle_until = :now"], False, id="idle"),
        pytest.param(["UPDATE sessions SET absolute_until = :now"], False, id="old"),
        pytest.param(["DELETE FROM people"], False, id="of nobody"),
        pytest.param([NO_ROLE], True, id="no role chosen"),
        pytest.param([NO_ROLE, CHOSEN_GONE], True, id="no role chosen, one grant left"),
        pytest.param([NO_ROLE, NO_GRANT], False, id="no role chosen, no grant left"),
        pytest.param([CHOSEN_GONE], False, id="the chosen grant is gone, another is left"),
        pytest.param([NO_GRANT], False, id="no grant is left"),
    ],
)
async def test_both_say_the_same(auth: Running, changes: list[str], in_force: bool) -> None:
    secret = (await auth.session()).session
    await auth.tell(granted(SECOND_GRANT, Role.APPROPRIATE_BODY))
    await run(auth, *changes)
    assert (await find(auth, secret), await look_up(auth, secret)) == (in_force, in_force)


@pytest.mark.parametrize(
    ("meanwhile", "noted"),
    [
        ("UPDATE sessions SET return_to = NULL", True),
        ("UPDATE sessions SET ended_at = :now", False),
        ("UPDATE sessions SET seen_at = :now", False),
    ],
)
async def test_a_use_is_noted_once_and_of_no_session_that_ended_meanwhile(
    auth: Running, meanwhile: str, noted: bool
) -> None:
    await auth.session()
    auth.clock.now += NOTE_EVERY
    await run(auth, meanwhile)
    now = auth.clock.now
    until = now + timedelta(days=1)
    async with auth.app.state.backbone.engine.connect() as connection:
        session_id = await connection.scalar(text("SELECT session_id FROM sessions"))
        driver = (await connection.get_raw_connection()).driver_connection
        await driver.execute(NOTE_USE, session_id, now, until, now - NOTE_EVERY)
        assert (await connection.scalar(text("SELECT idle_until FROM sessions")) == until) is noted

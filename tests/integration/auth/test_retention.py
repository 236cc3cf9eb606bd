"""Links and sessions that are over go after their time; those in force, and the log, stay."""

from datetime import timedelta

from sqlalchemy import text

from services.auth.retention import forget_what_is_over
from tests.integration.auth.running import EMAIL, Running, count, work_is_done

DAYS_KEPT = timedelta(days=90)


async def rows(auth: Running) -> tuple[int, int]:
    """Links, sessions."""
    return await count(auth, "SELECT count(*) FROM links"), await count(auth, "SELECT count(*) FROM sessions")


async def forget(auth: Running) -> None:
    await forget_what_is_over(auth.app.state.backbone.engine, auth.clock.now - DAYS_KEPT)


async def test_links_and_ended_sessions_go_after_their_time_and_not_before(auth: Running) -> None:
    opened = await auth.session()
    await auth.link()
    assert (await auth.post("/sessions/end", session=opened.session)).is_success
    await work_is_done(auth)
    assert await rows(auth) == (2, 1)
    logged = await count(auth, "SELECT count(*) FROM events")
    auth.clock.now += DAYS_KEPT - timedelta(seconds=30)
    await forget(auth)
    assert await rows(auth) == (2, 1)
    auth.clock.now += timedelta(minutes=1)
    await forget(auth)
    assert await rows(auth) == (0, 0)
    assert await count(auth, "SELECT count(*) FROM events") == logged


async def test_a_session_that_was_never_ended_stays_until_it_is(auth: Running) -> None:
    """However old: who sweeps sessions ends it first, and says so."""
    await auth.session()
    async with auth.app.state.backbone.engine.begin() as connection:
        await connection.execute(
            text("UPDATE sessions SET absolute_until = absolute_until + interval '1 year'")
        )
    auth.clock.now += DAYS_KEPT + timedelta(days=1)
    await forget(auth)
    assert (await rows(auth))[1] == 1


async def test_what_is_forgotten_cannot_be_used_and_says_nothing_else(auth: Running) -> None:
    token = await auth.link()
    auth.clock.now += DAYS_KEPT + timedelta(days=1)
    await forget(auth)
    assert (await auth.post("/links/redeem", token=token)).status_code == 410
    assert (await auth.post("/links", email=EMAIL)).status_code == 202

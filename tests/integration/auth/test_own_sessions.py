"""One's own sessions: seen and ended from anywhere; a sign-in from a new browser is told."""

import asyncio
import json

from shared.contracts.auth import SessionOpened
from shared.contracts.roles import Role
from tests.integration.auth.running import EMAIL, SECOND_GRANT, Running, count, granted, work_is_done


async def signed_in(auth: Running, **told: str | None) -> SessionOpened:
    answer = await auth.post("/links/redeem", token=await auth.link(), **told)
    assert answer.status_code == 200
    return SessionOpened.model_validate_json(answer.content)


async def notices(auth: Running) -> list[str]:
    await work_is_done(auth)
    return [json.loads(file.read_text())["body"] for file in auth.inbox.glob("new-device-*.json")]


async def test_a_person_sees_their_sessions_and_ends_one(auth: Running) -> None:
    desk = await signed_in(auth, browser="Firefox on Linux")
    phone = await signed_in(auth, browser="Safari on iPhone")
    seen = (await auth.post("/sessions/own", session=desk.session)).json()
    assert {(own["browser"], own["present"], own["role"]) for own in seen} == {
        ("Firefox on Linux", True, "delivery_partner"),
        ("Safari on iPhone", False, "delivery_partner"),
    }
    other = next(own["session_id"] for own in seen if not own["present"])
    ended = await auth.post("/sessions/own/end", session=desk.session, session_id=other)
    assert ended.status_code == 204
    assert (await auth.post("/sessions/exchange", session=phone.session, audiences=[])).status_code == 401
    assert (await auth.post("/sessions/exchange", session=desk.session, audiences=[])).status_code == 200
    assert (
        await count(auth, "SELECT count(*) FROM events WHERE data->>'reason' = 'signed_out_elsewhere'") == 1
    )


async def test_sign_out_everywhere_ends_them_all(auth: Running) -> None:
    await auth.tell(granted(SECOND_GRANT, Role.APPROPRIATE_BODY))  # one session has no role chosen
    opened = [await signed_in(auth) for _ in range(3)]
    assert (
        await auth.post("/sessions/own/end", session=opened[1].session, session_id=None)
    ).status_code == 204
    for one in opened:
        assert (await auth.post("/sessions/own", session=one.session)).status_code == 401
    again = await auth.post("/sessions/own/end", session=opened[1].session, session_id=None)
    assert again.status_code == 401


async def test_nobody_ends_the_session_of_somebody_else(auth: Running) -> None:
    mine = await signed_in(auth)
    async with auth.app.state.backbone.engine.begin() as connection:
        await connection.exec_driver_sql("UPDATE sessions SET person_id = gen_random_uuid()")
        theirs = await connection.exec_driver_sql("SELECT session_id FROM sessions")
        theirs_id = str(theirs.scalar())
    mine = await signed_in(auth)
    answer = await auth.post("/sessions/own/end", session=mine.session, session_id=theirs_id)
    assert answer.status_code == 204
    assert await count(auth, "SELECT count(*) FROM sessions WHERE ended_at IS NULL") == 2


async def test_a_sign_in_from_a_new_browser_is_told_and_one_from_a_known_browser_is_not(
    auth: Running,
) -> None:
    first = await signed_in(auth, browser="Firefox on Linux")
    assert first.device
    assert await notices(auth) == [], "the first of all"
    again = await signed_in(auth, device=first.device)
    assert again.device == first.device
    assert await notices(auth) == []
    prepared = await signed_in(auth, device="x" * 43, browser="Chrome on Windows")
    assert prepared.device != "x" * 43, "only what was made here is taken"
    (notice,) = await notices(auth)
    assert "Chrome on Windows" in notice
    assert "/your-sessions" in notice
    assert "/sign-in/link/" not in notice
    stored = "SELECT count(*) FROM devices WHERE position(convert_to('{}', 'UTF8') in device_hash) > 0"
    assert await count(auth, stored.format(first.device)) == 0


async def test_a_known_browser_is_not_held_up_by_the_limits_of_its_network(auth: Running) -> None:
    known = (await signed_in(auth)).device
    async with asyncio.timeout(60):
        while (await auth.post("/links", email=EMAIL, network="192.0.2.1")).status_code == 202:
            pass
    answer = await auth.post("/links", email=EMAIL, network="192.0.2.1", device=known)
    assert answer.status_code == 202
    stranger = await auth.post("/links", email=EMAIL, network="192.0.2.1", device="x" * 43)
    assert stranger.status_code == 429

"""What auth promises when two things happen at the same moment, or not in the order one thinks of."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import delete, text

from services.auth.domain import session as domain
from services.auth.domain.events import GrantId, PersonId, Purpose, SessionId
from services.auth.links import EMAIL_LINK, Links
from services.auth.people import addressee_by_id
from services.auth.sessions import Sessions, change_session
from services.auth.tables import grants
from shared.contracts.roles import Role
from shared.tracing import current_trace
from shared.work_queue import Job
from tests.integration.auth.running import (
    GRANT,
    PARTNER,
    PERSON,
    SECOND_GRANT,
    Running,
    count,
    grant_ended,
    granted,
)


def sessions_of(auth: Running) -> Sessions:
    sessions: Sessions = auth.app.state.auth.sessions
    return sessions


def links_of(auth: Running) -> Links:
    links: Links = auth.app.state.auth.links
    return links


async def one(auth: Running, query: str) -> Any:
    async with auth.app.state.backbone.engine.connect() as connection:
        return await connection.scalar(text(query))


async def test_a_link_redeemed_while_a_newer_one_is_issued_is_refused_and_nothing_jams(auth: Running) -> None:
    token = await auth.link()
    links, expires_at = links_of(auth), auth.clock.now + timedelta(minutes=10)
    locked = asyncio.Event()

    async def issue() -> None:
        async with auth.app.state.store.transaction() as transaction:
            await addressee_by_id(transaction.connection, PersonId(PERSON))
            locked.set()
            await asyncio.sleep(0.5)  # the redeem is under way by now
            await links._issue(transaction, PersonId(PERSON), Purpose.SIGN_IN, expires_at, None)

    async def redeem() -> int:
        await locked.wait()
        return (await auth.post("/links/redeem", token=token)).status_code

    _, status = await asyncio.gather(issue(), redeem())
    assert status == 410
    assert await count(auth, "SELECT count(*) FROM sessions") == 0


async def test_a_role_stated_twice_at_once_is_taken_once(auth: Running) -> None:
    await auth.tell(granted(SECOND_GRANT, Role.APPROPRIATE_BODY))
    session = (await auth.session()).session
    answers = await asyncio.gather(
        *(auth.post("/sessions/role", session=session, grant_id=str(SECOND_GRANT)) for _ in range(5))
    )
    assert sorted(answer.status_code for answer in answers) == [200, 401, 401, 401, 401]
    kept = next(answer.json()["session"] for answer in answers if answer.status_code == 200)
    assert (await auth.post("/sessions/exchange", session=kept, audiences=[])).status_code == 200


async def test_signing_out_twice_at_once_ends_the_session_once(auth: Running) -> None:
    session = (await auth.session()).session
    answers = await asyncio.gather(*(auth.post("/sessions/end", session=session) for _ in range(5)))
    assert {answer.status_code for answer in answers} == {204}
    assert await count(auth, "SELECT count(*) FROM events WHERE type = 'SessionEnded'") == 1


async def test_the_sweep_leaves_alone_what_somebody_is_changing(auth: Running) -> None:
    session = (await auth.session()).session
    session_id, sessions = SessionId(await one(auth, "SELECT session_id FROM sessions")), sessions_of(auth)
    async with auth.app.state.store.transaction() as transaction:
        await sessions._find(transaction.connection, session, lock=True)
        again = domain.ChooseRole(GrantId(GRANT), "delivery_partner", PARTNER, auth.clock.now)
        await change_session(transaction, session_id, again, actor=PERSON)
        auth.clock.now += timedelta(hours=1)
        await sessions.end_expired()
    assert await count(auth, "SELECT count(*) FROM sessions WHERE ended_at IS NULL") == 1
    await sessions.end_expired()
    assert await one(auth, "SELECT data->>'reason' FROM events WHERE type = 'SessionEnded'") == "expired"


async def test_a_session_without_a_role_ends_with_the_persons_last_grant(auth: Running) -> None:
    await auth.tell(granted(SECOND_GRANT, Role.APPROPRIATE_BODY))
    session = (await auth.session()).session
    await auth.tell(grant_ended(GRANT))
    assert (await auth.post("/sessions/exchange", session=session, audiences=[])).status_code == 200
    await auth.tell(grant_ended(SECOND_GRANT))
    assert (await auth.post("/sessions/exchange", session=session, audiences=[])).status_code == 401
    await sessions_of(auth).end_expired()
    assert await one(auth, "SELECT data->>'reason' FROM events WHERE type = 'SessionEnded'") == "grant_ended"


async def test_a_role_chosen_as_its_grant_ended_is_good_for_nothing_and_is_swept(auth: Running) -> None:
    session = (await auth.session()).session
    async with auth.app.state.backbone.engine.begin() as connection:
        await connection.execute(delete(grants))  # as when the choice committed just after the grant's end
    assert (await auth.post("/sessions/exchange", session=session, audiences=[])).status_code == 401
    answer = await auth.post("/sessions/role", session=session, grant_id=str(GRANT))
    assert answer.status_code == 401
    await sessions_of(auth).end_expired()
    assert await one(auth, "SELECT data->>'reason' FROM events WHERE type = 'SessionEnded'") == "grant_ended"


async def test_a_link_whose_time_was_over_before_its_email_went_is_not_sent(auth: Running) -> None:
    await auth.link()
    for email in auth.inbox.glob("*.json"):
        email.unlink()
    link_id = await one(auth, "SELECT link_id FROM links")
    job = Job(1, EMAIL_LINK, str(link_id), {"link_id": str(link_id)}, current_trace(), 2, uuid4())
    auth.clock.now += timedelta(minutes=10)
    await links_of(auth).email_link(job)
    assert list(auth.inbox.glob("*.json")) == []
    auth.clock.now -= timedelta(microseconds=1)
    await links_of(auth).email_link(job)
    assert len(list(auth.inbox.glob("*.json"))) == 1


@pytest.mark.parametrize(
    "body", [{"email": "a\0@example.org"}, {"email": "nobody@example.org", "return_to": "/\0"}]
)
async def test_what_cannot_be_an_address_gets_the_same_answer(auth: Running, body: dict[str, str]) -> None:
    known = await auth.post("/links", email="dana@example.org")
    odd = await auth.post("/links", **body)
    assert (odd.status_code, odd.content) == (known.status_code, known.content)

"""Staff sign somebody out everywhere, and the access goes on."""

import asyncio
import re
import time
from uuid import UUID, uuid4

import httpx
import pytest
from fastapi.routing import APIRoute
from sqlalchemy import text

from services.auth import second_factor_api, staff_api
from services.auth.permissions import PERMISSIONS, Action, Door
from shared.contracts import access
from shared.contracts.roles import Role
from tests.integration.auth.running import PERSON, SECOND_GRANT, Running, count, granted

SAM = uuid4()
ROUTES = [
    route
    for router in (staff_api.router, second_factor_api.router)
    for route in router.routes
    if isinstance(route, APIRoute)
]


def as_(auth: Running, role: Role) -> dict[str, str]:
    """Headers of Sam in this role."""
    token = auth.app.state.auth.issuer.for_person(SAM, role, None, "auth", uuid4())
    return {"authorization": f"Bearer {token}"}


async def signed_out(auth: Running, role: Role, person: UUID = PERSON) -> httpx.Response:
    return await auth.http.post(f"/people/{person}/sessions/end", headers=as_(auth, role))


async def seen(auth: Running, role: Role = Role.SUPPORT) -> int:
    answer = await auth.http.get(f"/people/{PERSON}/sessions", headers=as_(auth, role))
    assert answer.status_code == 200
    return int(answer.json()["count"])


def doors_of(route: APIRoute) -> list[Door]:
    calls = [dependency.call for dependency in route.dependant.dependencies]
    return [call for call in calls if isinstance(call, Door)]


async def test_every_session_ends_and_a_new_link_opens_another(auth: Running) -> None:
    opened = [await auth.session() for _ in range(3)]
    assert await seen(auth) == 3
    assert (await signed_out(auth, Role.SUPPORT)).status_code == 204
    for one in opened:
        over = await auth.post("/sessions/exchange", session=one.session, audiences=[])
        assert over.status_code == 401
    assert await seen(auth) == 0
    again = await auth.session()
    in_force = await auth.post("/sessions/exchange", session=again.session, audiences=["participants"])
    assert in_force.json()["tokens"], "the access goes on"


async def test_it_is_on_record_who_signed_out_whom(auth: Running) -> None:
    for _ in range(2):
        await auth.session()
    await signed_out(auth, Role.ADMINISTRATOR)
    async with auth.app.state.backbone.engine.connect() as connection:
        rows = await connection.execute(
            text(
                "SELECT type, data->>'person_id', data->>'by', metadata->>'actor' FROM events "
                "WHERE type = 'SignedOutByStaff' OR data->>'reason' = 'signed_out_by_staff' ORDER BY type"
            )
        )
        told = [tuple(row) for row in rows]
    person, sam = str(PERSON), str(SAM)
    assert told == [("SessionEnded", person, None, sam)] * 2 + [("SignedOutByStaff", person, sam, sam)]


async def test_who_is_not_signed_in_or_not_known_is_not_signed_out(auth: Running) -> None:
    for person in (PERSON, uuid4()):
        answer = await signed_out(auth, Role.SUPPORT, person)
        assert answer.json()["type"] == "urn:check-data:problem:not-signed-in"
    assert await count(auth, "SELECT count(*) FROM events WHERE type = 'SignedOutByStaff'") == 0


async def test_only_an_administrator_signs_out_staff_also_before_they_gave_a_code(auth: Running) -> None:
    await auth.tell(granted(SECOND_GRANT, Role.AUDITOR))
    session = (await auth.session()).session
    refused = await signed_out(auth, Role.SUPPORT)
    assert refused.json()["type"] == "urn:check-data:problem:for-administrators"
    assert (await auth.post("/sessions/exchange", session=session, audiences=[])).status_code == 200
    assert (await signed_out(auth, Role.ADMINISTRATOR)).status_code == 204
    assert (await auth.post("/sessions/exchange", session=session, audiences=[])).status_code == 401


async def test_nobody_else_is_signed_out(auth: Running) -> None:
    other = uuid4()
    await auth.tell(
        access.PersonRegistered(person_id=other, full_name="Marcus Bell", email="marcus@example.org"),
        granted(uuid4(), Role.DELIVERY_PARTNER).model_copy(update={"person_id": other}),
    )
    theirs = await auth.post("/links/redeem", token=await auth.link("marcus@example.org"))
    await auth.session()
    assert (await signed_out(auth, Role.SUPPORT)).status_code == 204
    still = await auth.post("/sessions/exchange", session=theirs.json()["session"], audiences=[])
    assert still.status_code == 200


async def test_who_signs_in_at_that_very_moment_is_signed_in_before_or_after_it(auth: Running) -> None:
    """Never half: a session that is there when all is done is in force, and one that was ended is over."""
    for _ in range(5):
        await auth.session()
        token = await auth.link()
        redeemed, ended = await asyncio.gather(
            auth.post("/links/redeem", token=token), signed_out(auth, Role.SUPPORT)
        )
        assert (redeemed.status_code, ended.status_code) == (200, 204)
        answer = await auth.post("/sessions/exchange", session=redeemed.json()["session"], audiences=[])
        assert (answer.status_code == 200) == (await seen(auth) == 1)
        rows = "SELECT count(*) FROM sessions WHERE ended_at IS NULL"
        assert await count(auth, rows) == await seen(auth)


async def test_a_token_of_a_session_that_ended_is_refused_by_auth_too_within_a_second(
    auth: Running,
) -> None:
    """Dana signs out, and somebody has a token of her session left."""
    issuer = auth.app.state.auth.issuer
    opened = (await auth.session()).session
    async with auth.app.state.backbone.engine.connect() as connection:
        session = UUID(str(await connection.scalar(text("SELECT session_id FROM sessions"))))
    left = {"authorization": f"Bearer {issuer.for_person(PERSON, Role.ADMINISTRATOR, None, 'auth', session)}"}
    path = f"/people/{PERSON}/sessions"
    assert (await auth.http.get(path, headers=left)).status_code == 200
    await auth.post("/sessions/end", session=opened)
    started = time.perf_counter()
    async with asyncio.timeout(10):
        while (await auth.http.get(path, headers=left)).status_code != 401:
            await asyncio.sleep(0.02)
    assert time.perf_counter() - started < 1


def test_every_action_has_a_door_and_every_door_of_staff_an_action() -> None:
    staff = [route for route in ROUTES if route not in second_factor_api.router.routes or doors_of(route)]
    assert [len(doors_of(route)) for route in staff] == [1] * len(staff)
    assert {doors_of(route)[0].action for route in staff} == set(Action) == set(PERMISSIONS)


@pytest.mark.parametrize("role", list(Role))
async def test_each_door_lets_in_the_roles_of_the_table_and_nobody_else(auth: Running, role: Role) -> None:
    wrong = []
    for route in ROUTES:
        for door in doors_of(route):
            path = re.sub(r"{[a-z_]+}", str(uuid4()), route.path)  # nobody's: nothing happens
            method = next(iter(route.methods or ()))
            answer = await auth.http.request(method, path, headers=as_(auth, role))
            refused = b":not-your-role" in answer.content
            if refused == (role in PERMISSIONS[door.action].roles):
                wrong.append((method, route.path, answer.status_code))
    assert wrong == []

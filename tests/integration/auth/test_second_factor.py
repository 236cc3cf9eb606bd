"""Staff need a second factor: set up at the first sign-in, good once per code, reset by somebody else."""

import asyncio
import json
from datetime import timedelta
from uuid import UUID, uuid4

import httpx
import pyotp
import pytest
from sqlalchemy import text

from services.auth.domain.events import PersonId
from services.auth.keys import second_factor_key
from services.auth.second_factors import SecondFactors
from services.auth.vault import Vault
from shared.contracts.roles import Role
from tests.integration.auth.running import (
    PERSON,
    SECOND_GRANT,
    Running,
    count,
    granted,
    work_is_done,
)


@pytest.fixture
async def staff(auth: Running) -> Running:
    """Dana holds a role of staff, too."""
    await auth.tell(granted(SECOND_GRANT, Role.ADMINISTRATOR))
    return auth


def factors_of(auth: Running) -> SecondFactors:
    factors: SecondFactors = auth.app.state.second_factors
    return factors


def code(auth: Running, secret: str, steps: int = 0) -> str:
    return pyotp.TOTP(secret).at(auth.clock.now + timedelta(seconds=30 * steps))


async def check(auth: Running, session: str, typed: str) -> httpx.Response:
    return await auth.post("/second-factor/check", session=session, code=typed)


async def enrolled(auth: Running) -> tuple[str, str]:
    """Sign in and set up an app. Returns the confirmed session and the app's secret."""
    session = (await auth.session()).session
    step = (await auth.post("/second-factor", session=session)).json()
    assert step["enrol"]
    answer = await check(auth, session, code(auth, step["secret"]))
    assert answer.status_code == 200, answer.text
    return answer.json()["session"], step["secret"]


async def administrators_token(auth: Running, session: str) -> str:
    chosen = await auth.post("/sessions/role", session=session, grant_id=str(SECOND_GRANT))
    answer = await auth.post("/sessions/exchange", session=chosen.json()["session"], audiences=["auth"])
    return str(answer.json()["tokens"]["auth"])


async def test_before_the_code_a_session_of_staff_is_good_for_nothing(staff: Running) -> None:
    opened = await staff.session()
    assert (opened.second_factor_missing, opened.chosen) == (True, None)
    in_force = await staff.post("/sessions/exchange", session=opened.session, audiences=["access", "auth"])
    assert (in_force.json()["tokens"], in_force.json()["second_factor_missing"]) == ({}, True)
    told: dict[str, dict[str, str | None]] = {
        "/sessions/choices": {},
        "/sessions/role": {"grant_id": str(SECOND_GRANT)},
        "/sessions/own": {},
        "/sessions/own/end": {"session_id": None},
    }
    for path, body in told.items():
        answer = await staff.post(path, session=opened.session, **body)
        assert answer.json()["type"] == "urn:check-data:problem:second-factor-needed", path
    assert (await staff.post("/sessions/end", session=opened.session)).status_code == 204


async def test_the_first_sign_in_sets_an_app_up_and_later_ones_ask_for_its_code(staff: Running) -> None:
    session, secret = await enrolled(staff)
    in_force = await staff.post("/sessions/exchange", session=session, audiences=[])
    assert in_force.json()["second_factor_missing"] is False
    staff.clock.now += timedelta(minutes=5)
    again = (await staff.session()).session
    step = (await staff.post("/second-factor", session=again)).json()
    assert step == {"enrol": False, "secret": None, "uri": None}, "the secret is told once"
    answer = await check(staff, again, code(staff, secret))
    assert answer.status_code == 200
    assert answer.json()["session"] != again, "a confirmed session has a new value"
    assert (await check(staff, again, code(staff, secret, 1))).status_code == 401


async def test_a_code_is_taken_once_also_at_the_same_moment(staff: Running) -> None:
    _, secret = await enrolled(staff)
    sessions = [(await staff.session()).session for _ in range(4)]
    replayed = await check(staff, sessions[0], code(staff, secret))
    assert replayed.json()["type"] == "urn:check-data:problem:code-not-right", "the code of the enrolment"
    staff.clock.now += timedelta(minutes=1)
    answers = await asyncio.gather(*(check(staff, one, code(staff, secret)) for one in sessions))
    assert sorted(answer.status_code for answer in answers) == [200, 403, 403, 403]


async def test_five_wrong_codes_end_a_session_and_twenty_in_an_hour_make_wait(staff: Running) -> None:
    _, secret = await enrolled(staff)
    wrong = "000000" if code(staff, secret) != "000000" else "111111"
    for _ in range(4):
        session = (await staff.session()).session
        answers = [await check(staff, session, wrong) for _ in range(6)]
        assert [answer.status_code for answer in answers] == [403] * 5 + [401]
        staff.clock.now += timedelta(minutes=5)
    session = (await staff.session()).session
    answer = await check(staff, session, code(staff, secret))
    assert answer.status_code == 429
    assert 2_000 < int(answer.headers["retry-after"]) <= 3_600
    assert "40 minutes" in answer.json()["detail"]
    ended = "SELECT count(*) FROM events WHERE data->>'reason' = 'wrong_codes'"
    assert await count(staff, ended) == 4
    staff.clock.now += timedelta(hours=1)
    session = (await staff.session()).session
    assert (await check(staff, session, code(staff, secret))).status_code == 200


async def test_a_secret_that_was_offered_to_another_session_enrols_nobody(staff: Running) -> None:
    """Somebody read Dana's mail before she first signed in, and saw a secret."""
    thief, dana = (await staff.session()).session, (await staff.session()).session
    seen = (await staff.post("/second-factor", session=thief)).json()["secret"]
    own = (await staff.post("/second-factor", session=dana)).json()["secret"]
    assert seen != own
    assert (await check(staff, dana, code(staff, seen))).status_code == 403
    assert (await check(staff, dana, code(staff, own))).status_code == 200
    assert (await check(staff, thief, code(staff, seen))).status_code == 403


async def test_an_administrator_resets_the_app_of_somebody_else_never_their_own(staff: Running) -> None:
    session, _ = await enrolled(staff)
    token = await administrators_token(staff, session)
    as_dana = {"authorization": f"Bearer {token}"}
    own = await staff.http.post(f"/second-factor/{PERSON}/reset", headers=as_dana)
    assert own.json()["type"] == "urn:check-data:problem:not-yourself"
    nobody = await staff.http.post(f"/second-factor/{uuid4()}/reset", headers=as_dana)
    assert nobody.json()["type"] == "urn:check-data:problem:nothing-to-reset"
    state = await staff.http.get(f"/second-factor/{PERSON}", headers=as_dana)
    assert state.json()["enrolled_at"]
    await factors_of(staff).reset(PersonId(PERSON), PersonId(uuid4()))
    over = await staff.post("/sessions/exchange", session=session, audiences=[])
    assert over.status_code == 401
    again = (await staff.session()).session
    assert (await staff.post("/second-factor", session=again)).json()["enrol"] is True
    await work_is_done(staff)
    told = [json.loads(file.read_text())["subject"] for file in staff.inbox.glob("second-factor-*.json")]
    assert len([subject for subject in told if "set up" in subject]) == 1
    assert len([subject for subject in told if "reset" in subject]) == 1


async def test_only_an_administrators_own_token_resets(auth: Running) -> None:
    session = (await auth.session()).session
    answer = await auth.post("/sessions/exchange", session=session, audiences=["auth"])
    partner = {"authorization": f"Bearer {answer.json()['tokens']['auth']}"}
    for headers in (partner, {}):  # {}: the gateway for itself
        answer = await auth.http.post(f"/second-factor/{PERSON}/reset", headers=headers)
        assert answer.status_code == 403


async def test_secrets_are_encrypted_at_rest_and_renewed_under_a_new_key(staff: Running) -> None:
    _, secret = await enrolled(staff)
    async with staff.app.state.backbone.engine.connect() as connection:
        stored = (await connection.execute(text("SELECT person_id, secret FROM second_factors"))).one()
        dump = await connection.scalar(text("SELECT string_agg(data::text, '') FROM events"))
    assert secret.encode() not in stored.secret
    assert secret not in dump
    old = staff.app.state.auth.settings.second_factor_keys[0].get_secret_value()
    new = second_factor_key()
    factors = factors_of(staff)
    factors._vault = Vault([new, old])
    await factors.renew()
    factors._vault = Vault([new])  # the old key is dropped
    staff.clock.now += timedelta(minutes=1)
    session = (await staff.session()).session
    assert (await check(staff, session, code(staff, secret))).status_code == 200


async def test_who_has_no_role_of_staff_needs_no_code_and_who_gets_one_does(auth: Running) -> None:
    session = (await auth.session()).session
    await auth.tell(granted(SECOND_GRANT, Role.SUPPORT))
    in_force = (await auth.post("/sessions/exchange", session=session, audiences=["participants"])).json()
    assert (in_force["tokens"], in_force["second_factor_missing"]) == ({}, True)


async def test_what_others_are_told_holds_ids_only(staff: Running) -> None:
    await enrolled(staff)
    async with staff.app.state.backbone.engine.connect() as connection:
        rows = await connection.execute(
            text("SELECT data FROM events WHERE type IN ('SecondFactorEnrolled', 'SessionConfirmed')")
        )
        for (data,) in rows:
            assert all(name in {"person_id", "session_id", "at"} for name in data)
            assert UUID(data["person_id"]) == PERSON

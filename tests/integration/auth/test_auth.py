"""Auth over HTTP, with its real database; the clock is the test's."""

import asyncio
import re
from datetime import timedelta
from uuid import uuid4

import httpx
import jwt
import pytest
from prometheus_client import REGISTRY
from sqlalchemy import text

from services.auth.consumers import AccessFollower
from shared.contracts import access
from shared.contracts.envelope import CloudEvent
from shared.contracts.roles import Role
from shared.database.engine import create_engine
from shared.web.caller import PersonCaller
from shared.web.tokens import PublishedKeys, TokenRefused, TokenVerifier
from tests.integration.auth.running import (
    EMAIL,
    GRANT,
    PARTNER,
    PERSON,
    SECOND_GRANT,
    SECRET,
    Running,
    count,
    grant_ended,
    granted,
    work_is_done,
)


def links_counted(outcome: str) -> float:
    labels = {"purpose": "sign_in", "outcome": outcome}
    return REGISTRY.get_sample_value("checkdata_links_total", labels) or 0.0


async def test_a_link_signs_in_once_and_the_session_acts_in_the_only_role(auth: Running) -> None:
    sent, redeemed = links_counted("sent"), links_counted("redeemed")
    token = await auth.link()
    first = await auth.post("/links/redeem", token=token)
    assert first.json()["chosen"]["organisation_name"] == "Fernhill"
    again = await auth.post("/links/redeem", token=token)
    assert again.status_code == 410
    assert again.json()["type"] == "urn:check-data:problem:link-not-usable"
    await work_is_done(auth)
    assert (links_counted("sent"), links_counted("redeemed")) == (sent + 1, redeemed + 1)


async def test_fifty_redeems_at_once_give_one_session(auth: Running) -> None:
    token = await auth.link()
    answers = await asyncio.gather(*(auth.post("/links/redeem", token=token) for _ in range(50)))
    assert sorted(a.status_code for a in answers) == [200] + [410] * 49


async def test_a_link_is_over_when_its_time_is(auth: Running) -> None:
    token = await auth.link()
    auth.clock.now += timedelta(minutes=10)
    assert (await auth.post("/links/redeem", token=token)).status_code == 410


async def test_a_newer_link_ends_the_older_one(auth: Running) -> None:
    older, newer = await auth.link(), await auth.link()
    assert (await auth.post("/links/redeem", token=older)).status_code == 410
    assert (await auth.post("/links/redeem", token=newer)).status_code == 200


async def test_an_unknown_address_gets_the_same_answer_and_no_email(auth: Running) -> None:
    known = await auth.post("/links", email=EMAIL)
    unknown = await auth.post("/links", email="nobody@example.org")
    assert (known.status_code, known.content) == (unknown.status_code, unknown.content)
    assert set(known.headers) == set(unknown.headers)
    await auth.emails(1)
    await asyncio.sleep(0.3)
    assert len(list(auth.inbox.glob("*.json"))) == 1


async def test_nobody_gets_more_than_five_emails_in_a_quarter_of_an_hour(auth: Running) -> None:
    for _ in range(8):
        await auth.post("/links", email=EMAIL)
    await work_is_done(auth)
    assert await count(auth, "SELECT count(*) FROM links") == 5


async def test_a_session_is_exchanged_for_tokens_that_every_service_can_check(auth: Running) -> None:
    session = await auth.session()
    answer = await auth.post("/sessions/exchange", session=session.session, audiences=["participants"])
    token = answer.json()["tokens"]["participants"]
    caller = await TokenVerifier("participants", PublishedKeys("http://auth", auth.http)).verify(token)
    assert isinstance(caller, PersonCaller)
    assert (caller.person_id, caller.role, caller.organisation_id) == (
        PERSON,
        Role.DELIVERY_PARTNER,
        PARTNER,
    )
    with pytest.raises(TokenRefused, match="wrong_audience"):
        await TokenVerifier("export", PublishedKeys("http://auth", auth.http)).verify(token)


@pytest.mark.parametrize("session", ["", "x" * 43, "' OR 1=1"])
async def test_a_false_session_is_refused(auth: Running, session: str) -> None:
    answer = await auth.post("/sessions/exchange", session=session, audiences=[])
    assert answer.status_code == 401


async def test_choosing_a_role_gives_the_session_a_new_value(auth: Running) -> None:
    await auth.tell(granted(SECOND_GRANT, Role.APPROPRIATE_BODY))
    session = await auth.session()
    assert session.chosen is None
    assert len(session.choices) == 2
    before = await auth.post("/sessions/exchange", session=session.session, audiences=["participants"])
    assert before.json()["tokens"] == {}
    chosen = await auth.post("/sessions/role", session=session.session, grant_id=str(SECOND_GRANT))
    assert chosen.json()["chosen"]["role"] == "appropriate_body"
    old = await auth.post("/sessions/exchange", session=session.session, audiences=[])
    assert old.status_code == 401
    other = await auth.post("/sessions/role", session=chosen.json()["session"], grant_id=str(uuid4()))
    assert other.status_code == 403


async def test_a_grant_that_ends_takes_its_session_along(auth: Running) -> None:
    session = await auth.session()
    await auth.tell(grant_ended(GRANT))
    answer = await auth.post("/sessions/exchange", session=session.session, audiences=[])
    assert answer.status_code == 401
    assert await count(auth, "SELECT count(*) FROM events WHERE type = 'SessionEnded'") == 1


async def test_a_suspended_grant_takes_its_session_along_and_a_restored_one_is_of_use_again(
    auth: Running,
) -> None:
    session = await auth.session()
    whose = {
        "grant_id": GRANT,
        "person_id": PERSON,
        "role": Role.DELIVERY_PARTNER,
        "organisation_id": PARTNER,
    }
    await auth.tell(access.GrantSuspended(**whose, reason="agreement_ended"))
    answer = await auth.post("/sessions/exchange", session=session.session, audiences=[])
    assert answer.status_code == 401
    await auth.tell(access.GrantRestored(**whose, restored_by=uuid4(), review_on=None))
    again = await auth.session()
    choices = await auth.post("/sessions/choices", session=again.session)
    assert str(GRANT) in choices.text


async def test_a_person_whose_last_grant_ended_cannot_use_a_link_sent_before(auth: Running) -> None:
    token = await auth.link()
    await auth.tell(grant_ended(GRANT))
    assert (await auth.post("/links/redeem", token=token)).status_code == 410


async def test_an_idle_session_is_over_and_a_used_one_goes_on_until_its_last_hour(auth: Running) -> None:
    session = await auth.session()
    for _ in range(23):
        auth.clock.now += timedelta(minutes=20)
        answer = await auth.post("/sessions/exchange", session=session.session, audiences=[])
        assert answer.status_code == 200
    auth.clock.now += timedelta(minutes=20)
    answer = await auth.post("/sessions/exchange", session=session.session, audiences=[])
    assert answer.status_code == 401
    idle = await auth.session()
    auth.clock.now += timedelta(minutes=31)
    answer = await auth.post("/sessions/exchange", session=idle.session, audiences=[])
    assert answer.status_code == 401


async def test_signing_out_ends_the_session(auth: Running) -> None:
    session = await auth.session()
    assert (await auth.post("/sessions/end", session=session.session)).status_code == 204
    assert (await auth.post("/sessions/end", session=session.session)).status_code == 204
    answer = await auth.post("/sessions/exchange", session=session.session, audiences=[])
    assert answer.status_code == 401


async def test_a_worker_acts_for_a_person_only_while_the_grant_holds(auth: Running) -> None:
    request = {
        "audience": "participants",
        "on_behalf_of": {
            "person_id": str(PERSON),
            "role": "delivery_partner",
            "organisation_id": str(PARTNER),
        },
    }
    export = httpx.BasicAuth("export", SECRET + "export")
    assert (await auth.http.post("/tokens", json=request, auth=export)).status_code == 200
    gateway = httpx.BasicAuth("gateway", SECRET + "gateway")
    assert (await auth.http.post("/tokens", json=request, auth=gateway)).status_code == 403
    await auth.tell(grant_ended(GRANT))
    refused = await auth.http.post("/tokens", json=request, auth=export)
    assert refused.json()["type"] == "urn:check-data:problem:grant-not-held"


@pytest.mark.parametrize(
    ("name", "secret"), [("gateway", "wrong" * 10), ("stranger", SECRET), ("export", SECRET + "gateway")]
)
async def test_a_service_that_does_not_prove_itself_gets_no_token(
    auth: Running, name: str, secret: str
) -> None:
    answer = await auth.http.post("/tokens", json={"audience": "participants"}, auth=(name, secret))
    assert answer.status_code == 401


@pytest.mark.parametrize(
    "header", [b"", b"Basic", b"Basic x", b"Bearer \xc3\xa9", b"Basic \xff", b"Basic Og=="]
)
async def test_a_malformed_proof_is_refused_too(auth: Running, header: bytes) -> None:
    auth.http.headers.pop("authorization")
    answer = await auth.http.post(
        "/tokens", json={"audience": "access"}, headers=[(b"authorization", header)]
    )
    assert answer.status_code == 401


async def test_a_call_without_a_token_or_with_a_forged_one_is_refused(auth: Running) -> None:
    forged = jwt.encode({"sub": "gateway", "kind": "service"}, "k" * 64, algorithm="HS256")
    for header in (None, "Bearer x", f"Bearer {forged}"):
        auth.http.headers.pop("authorization", None)
        if header:
            auth.http.headers["authorization"] = header
        answer = await auth.post("/links", email=EMAIL)
        assert answer.status_code == 401


async def test_a_lead_providers_contact_gets_a_link_to_what_awaits_them(auth: Running) -> None:
    await auth.tell(
        access.ConfirmationRequested(request_id=uuid4(), lead_provider_id=uuid4(), contacts=[PERSON])
    )
    auth.app.state.backbone.work_bell.ring()
    (email,) = await auth.emails(1)
    token = re.search(r"/sign-in/link/(\S+)", email["body"])[1]  # type: ignore[index]
    auth.clock.now += timedelta(days=4)
    answer = await auth.post("/links/redeem", token=token)
    assert answer.json()["return_to"] == "/lead-provider/confirmations"


async def test_each_job_of_a_batch_belongs_to_the_trace_of_its_own_event(auth: Running) -> None:
    events = [
        CloudEvent(
            id=f"event-{number}",
            source="/access",
            type=access.ConfirmationRequested.type,
            subject=str(request_id),
            time=auth.clock.now,
            data={
                "request_id": str(request_id),
                "lead_provider_id": str(uuid4()),
                "contacts": [str(uuid4())],
            },
            sequence=str(number),
            correlationid=f"{number:032x}",
        )
        for number, request_id in enumerate((uuid4(), uuid4()), 1)
    ]
    async with auth.app.state.backbone.engine.begin() as connection:
        await AccessFollower(auth.clock).apply(connection, events)
        rows = await connection.execute(
            text("SELECT trace->>'correlation_id', trace->>'causation_id' FROM work ORDER BY id")
        )
        assert [tuple(row) for row in rows] == [(f"{n:032x}", f"event-{n}") for n in (1, 2)]


async def test_many_requests_for_confirmation_do_not_keep_a_contact_from_signing_in(auth: Running) -> None:
    for _ in range(6):
        await auth.tell(
            access.ConfirmationRequested(request_id=uuid4(), lead_provider_id=uuid4(), contacts=[PERSON])
        )
    auth.app.state.backbone.work_bell.ring()
    await work_is_done(auth)
    assert await count(auth, "SELECT count(*) FROM links") == 6
    assert (await auth.session()).chosen is not None


async def test_nothing_that_signs_in_is_kept(auth: Running) -> None:
    token = await auth.link()
    answer = await auth.post("/links/redeem", token=token)
    session = answer.json()["session"]
    owner = create_engine(auth.owner_url)
    async with owner.connect() as connection:
        tables = await connection.scalars(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"))
        rows = [
            str(row)
            for table in tables.all()
            for row in await connection.scalars(text(f"SELECT t::text FROM {table} t"))  # noqa: S608
        ]
    await owner.dispose()
    assert any(str(PERSON) in row for row in rows)
    mac = token.split(".")[1]
    assert not any(secret in row for row in rows for secret in (token, mac, session))
    stored = await count(auth, "SELECT count(*) FROM work WHERE data::text LIKE '%example.org%'")
    assert stored == 0, "the address that somebody typed is forgotten when the work is done"

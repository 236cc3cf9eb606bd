"""Internal tokens: who is let through, and who is not, whatever they bring."""

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from fastapi import APIRouter, FastAPI, WebSocket
from starlette.types import Message

from shared.contracts.roles import Role
from shared.web.app import create_app
from shared.web.caller import AnyCaller, PersonCaller, ServiceCaller
from shared.web.tokens import (
    ISSUER,
    LEEWAY_SECONDS,
    MOST_PROVEN,
    PublishedKeys,
    TokenRefused,
    TokenVerifier,
)
from shared.web.withdrawals import Withdrawals
from tests.tokens import TestIssuer

AUDIENCE, KEY_ID = "access", "key-1"
PRIVATE = Ed25519PrivateKey.generate()
PUBLIC_PEM = PRIVATE.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
PUBLIC_RAW = PRIVATE.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
JWK: dict[str, Any] = {
    **jwt.algorithms.OKPAlgorithm.to_jwk(PRIVATE.public_key(), as_dict=True),
    "kid": KEY_ID,
    "alg": "EdDSA",
    "use": "sig",
}


class Auth:
    """Auth as others see it over HTTP: its published keys."""

    def __init__(self) -> None:
        self.keys: list[dict[str, Any]] = [JWK]
        self.away = False
        self.asked = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        assert request.url.path == "/.well-known/jwks.json"
        self.asked += 1
        return httpx.Response(503) if self.away else httpx.Response(200, json={"keys": self.keys})

    def published(self, again_after: float = 2.0) -> PublishedKeys:
        http = httpx.AsyncClient(transport=httpx.MockTransport(self))
        return PublishedKeys("http://auth.example", http, again_after)


def claims(**changed: object) -> dict[str, Any]:
    """The claims of a good token of a service; a claim that is changed to None is left out."""
    now = int(time.time())
    good = {"iss": ISSUER, "aud": AUDIENCE, "sub": "gateway", "iat": now, "exp": now + 60, "kind": "service"}
    return {name: value for name, value in {**good, **changed}.items() if value is not None}


def token(key_id: str | None = KEY_ID, private: Ed25519PrivateKey = PRIVATE, **changed: object) -> str:
    headers = None if key_id is None else {"kid": key_id}
    return jwt.encode(claims(**changed), private, algorithm="EdDSA", headers=headers)


def forged(header: Mapping[str, str], signature: bytes = b"") -> str:
    """A token put together by hand: libraries refuse to make such ones."""
    parts = (json.dumps(header).encode(), json.dumps(claims()).encode(), signature)
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


def signed_with_the_public_key(key: bytes) -> str:
    head, body, _ = forged({"alg": "HS256", "typ": "JWT", "kid": KEY_ID}).split(".")
    signature = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256).sign(
        f"{head}.{body}".encode(), key
    )
    return f"{head}.{body}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


@pytest.fixture
def verifier() -> TokenVerifier:
    return TokenVerifier(AUDIENCE, Auth().published())


async def reason(verifier: TokenVerifier, given: str) -> str:
    with pytest.raises(TokenRefused) as refused:
        await verifier.verify(given)
    return refused.value.reason


async def test_a_service_is_known_by_its_token(verifier: TokenVerifier) -> None:
    assert await verifier.verify(token()) == ServiceCaller("gateway")


async def test_a_person_is_known_with_role_organisation_and_session(verifier: TokenVerifier) -> None:
    person, organisation, session = uuid4(), uuid4(), uuid4()
    role = Role.DELIVERY_PARTNER
    full = token(
        kind="person",
        sub=str(person),
        role=role.value,
        organisation_id=str(organisation),
        session_id=str(session),
    )
    assert await verifier.verify(full) == PersonCaller(person, role, organisation, session)
    of_staff = token(kind="person", sub=str(person), role="support")
    assert await verifier.verify(of_staff) == PersonCaller(person, Role.SUPPORT, None, None)


# Made when the test runs: a token made at collection would have expired by then.
@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (lambda: token(exp=int(time.time()) - LEEWAY_SECONDS - 60), "expired"),
        (lambda: token(aud="participants"), "wrong_audience"),
        (lambda: token(aud=None), "not_valid"),
        (lambda: token(iss="somebody-else"), "not_valid"),
        (lambda: token(exp=None), "not_valid"),
        (lambda: token(iat=None), "not_valid"),
        (lambda: token(iat=int(time.time()) + 3600, exp=int(time.time()) + 7200), "not_valid"),
        (lambda: token(sub=None), "not_valid"),
        (lambda: token(key_id="key-2"), "unknown_key"),
        (lambda: token(key_id=None), "unknown_key"),
        (lambda: token(private=Ed25519PrivateKey.generate()), "not_valid"),
        (lambda: token()[:-4], "not_valid"),
        (lambda: forged({"alg": "none", "kid": KEY_ID}), "wrong_algorithm"),
        (lambda: forged({"alg": "NONE", "kid": KEY_ID}), "wrong_algorithm"),
        (lambda: forged({"kid": KEY_ID}), "wrong_algorithm"),
        (lambda: forged({"alg": "EdDSA", "kid": KEY_ID}), "not_valid"),
        (lambda: signed_with_the_public_key(PUBLIC_PEM), "wrong_algorithm"),
        (lambda: signed_with_the_public_key(PUBLIC_RAW), "wrong_algorithm"),
        (lambda: token(kind="robot"), "not_valid"),
        (lambda: token(kind="robot", sub=str(uuid4()), role="administrator"), "not_valid"),
        (lambda: token(kind=None), "not_valid"),
        (lambda: token(kind="person", sub="not-an-id", role="support"), "not_valid"),
        (lambda: token(kind="person", sub=str(uuid4()), role="emperor"), "not_valid"),
        (lambda: token(kind="person", sub=str(uuid4())), "not_valid"),
        (lambda: token(kind="person", sub=str(uuid4()), role="support", organisation_id="x"), "not_valid"),
        (lambda: "", "not_valid"),
        (lambda: "a.b", "not_valid"),
        (lambda: "é.ü.ö", "not_valid"),
        (lambda: "a" * 10_000, "not_valid"),
    ],
)
async def test_what_is_not_a_good_token_is_refused_with_a_reason(
    verifier: TokenVerifier, given: Callable[[], str], expected: str
) -> None:
    assert await reason(verifier, given()) == expected


async def test_clocks_may_differ_by_the_leeway(verifier: TokenVerifier) -> None:
    assert await verifier.verify(token(exp=int(time.time()) - LEEWAY_SECONDS + 3)) == ServiceCaller("gateway")


async def test_a_new_key_is_fetched_when_it_is_met_and_an_unknown_one_not_at_each_call() -> None:
    auth = Auth()
    verifier = TokenVerifier(AUDIENCE, auth.published(again_after=30))
    for _ in range(3):
        await verifier.verify(token())
        assert await reason(verifier, token(key_id="key-2")) == "unknown_key"
    assert auth.asked == 1
    fresh = TokenVerifier(AUDIENCE, auth.published(again_after=0))
    assert await reason(fresh, token(key_id="key-2")) == "unknown_key"
    auth.keys = [{**JWK, "kid": "key-2"}]
    assert await fresh.verify(token(key_id="key-2")) == ServiceCaller("gateway")
    assert await reason(fresh, token()) == "unknown_key", "a key that auth publishes no more proves nothing"


async def test_keys_that_are_known_do_not_need_auth() -> None:
    auth = Auth()
    verifier = TokenVerifier(AUDIENCE, auth.published(again_after=0))
    await verifier.verify(token())
    auth.away = True
    assert await reason(verifier, token(key_id="key-2")) == "unknown_key"
    assert await verifier.verify(token()) == ServiceCaller("gateway")


async def test_a_services_token_that_was_proven_expires_all_the_same(verifier: TokenVerifier) -> None:
    expires_at = int(time.time()) - LEEWAY_SECONDS + 2
    short = token(exp=expires_at)
    assert await verifier.verify(short) == ServiceCaller("gateway")
    while time.time() < expires_at + LEEWAY_SECONDS:
        await asyncio.sleep(0.05)
    assert await reason(verifier, short) == "expired"


async def test_a_services_token_that_was_proven_is_not_when_its_key_is_published_no_more() -> None:
    auth = Auth()
    verifier = TokenVerifier(AUDIENCE, auth.published(again_after=0))
    proven = token()
    for _ in range(2):
        assert await verifier.verify(proven) == ServiceCaller("gateway")
    auth.keys = [{**JWK, "kid": "key-2"}]
    await verifier.verify(token(key_id="key-2"))
    assert await reason(verifier, proven) == "unknown_key"


async def test_what_is_like_a_proven_token_is_not_one(verifier: TokenVerifier) -> None:
    proven = token()
    await verifier.verify(proven)
    assert await reason(verifier, proven[:-4]) == "not_valid"
    assert await reason(TokenVerifier("participants", Auth().published()), proven) == "wrong_audience"


class AccessThatEnds(Withdrawals):
    ended = False

    def cover(self, caller: PersonCaller) -> bool:
        return self.ended


async def test_a_persons_token_is_refused_when_their_access_ended_however_often_it_was_used() -> None:
    withdrawals = AccessThatEnds()
    verifier = TokenVerifier(AUDIENCE, Auth().published(), withdrawals)
    used = token(kind="person", sub=str(uuid4()), role="support")
    for _ in range(2):
        await verifier.verify(used)
    withdrawals.ended = True
    assert await reason(verifier, used) == "withdrawn"


async def test_proven_tokens_do_not_pile_up(verifier: TokenVerifier) -> None:
    for number in range(MOST_PROVEN + 5):
        await verifier.verify(token(jti=str(number)))
    assert 0 < len(verifier._proven) <= MOST_PROVEN


def application(issuer: TestIssuer) -> FastAPI:
    router = APIRouter()

    @router.get("/closed")
    async def closed(caller: AnyCaller) -> str:
        return type(caller).__name__

    @router.get("/forgotten")
    async def forgotten() -> str:
        """Its author did not think of who calls."""
        return "in"

    @router.get("/open")
    async def opened() -> str:
        return "in"

    @router.websocket("/socket")
    async def socket(websocket: WebSocket) -> None:
        await websocket.accept()

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield

    return create_app(
        "test",
        routers=[router],
        lifespan=lifespan,
        ready={},
        verifier=TokenVerifier(AUDIENCE, issuer.keys),
        open_paths=frozenset({"/open"}),
    )


ISSUER_OF_TESTS = TestIssuer(AUDIENCE)


@pytest.fixture
def http() -> httpx.AsyncClient:
    transport = httpx.ASGITransport(application(ISSUER_OF_TESTS))
    return httpx.AsyncClient(transport=transport, base_url="http://access.example")


@pytest.mark.parametrize("path", ["/closed", "/forgotten", "/nowhere", "/open/", "/openapi.json", "//open"])
@pytest.mark.parametrize(
    "headers", [{}, {"authorization": ""}, {"authorization": "Basic eDp5"}, {"authorization": "Bearer x"}]
)
async def test_every_path_is_closed_unless_it_is_opened(
    http: httpx.AsyncClient, path: str, headers: dict[str, str]
) -> None:
    answer = await http.get(path, headers=headers)
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == "urn:check-data:problem:no-valid-token"


@pytest.mark.parametrize("path", ["/open", "/health/live", "/health/ready"])
async def test_open_paths_need_no_token(http: httpx.AsyncClient, path: str) -> None:
    assert (await http.get(path)).status_code == 200


@pytest.mark.parametrize("word", ["Bearer", "bearer", "BEARER"])
async def test_a_good_token_opens_the_rest(http: httpx.AsyncClient, word: str) -> None:
    headers = {"authorization": f"{word} {ISSUER_OF_TESTS.service('gateway')}"}
    assert (await http.get("/closed", headers=headers)).json() == "ServiceCaller"
    assert (await http.get("/forgotten", headers=headers)).status_code == 200


async def test_a_websocket_is_refused_as_well() -> None:
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "websocket",
        "path": "/socket",
        "raw_path": b"/socket",
        "query_string": b"",
        "headers": [],
    }
    await application(ISSUER_OF_TESTS)(scope, receive, send)
    assert [message["type"] for message in sent] == ["websocket.close"]

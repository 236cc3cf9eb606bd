"""Internal tokens: EdDSA, one audience, about a minute long. Auth issues them; here they are checked."""

import asyncio
import hashlib
import time
from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol
from uuid import UUID

import httpx
import jwt
import structlog
from jwt import PyJWK
from prometheus_client import Counter
from starlette.types import ASGIApp, Receive, Scope, Send

from shared.contracts.roles import Role
from shared.web.caller import Caller, PersonCaller, ServiceCaller
from shared.web.problems import Problem
from shared.web.withdrawals import Withdrawals

log = structlog.get_logger(__name__)

ISSUER = "check-data-auth"
ALGORITHM = "EdDSA"
REFUSED = Counter("checkdata_tokens_refused_total", "Internal tokens refused", ["reason"])
LEEWAY_SECONDS = 5
"""How far the clocks of two machines may differ."""
ENDED = "access-has-ended"
"""Code of the problem when the token was good until its session or access ended."""
MOST_PROVEN = 100
"""How many services' tokens a process remembers as proven. There are a few services, and a token a minute."""
POLICY_VIOLATION = 1008
"""Why a websocket is closed. Source: RFC 6455, section 7.4.1."""


class TokenRefused(Exception):
    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Keys(Protocol):
    async def get(self, key_id: str) -> PyJWK:
        """Raises TokenRefused for a key that is not known."""
        ...


class PublishedKeys:
    """Auth's public keys (JWKS). Fetched when a key is not known, at most once in `again_after` seconds."""

    def __init__(self, auth_url: str, http: httpx.AsyncClient, again_after: float = 2.0) -> None:
        self._url = f"{auth_url}/.well-known/jwks.json"
        self._http = http
        self._again_after = again_after
        self._keys: Mapping[str, PyJWK] = {}
        self._asked_at = float("-inf")
        self._lock = asyncio.Lock()

    async def get(self, key_id: str) -> PyJWK:
        if key_id not in self._keys:
            async with self._lock:
                if key_id not in self._keys and time.monotonic() - self._asked_at > self._again_after:
                    await self._fetch()
        try:
            return self._keys[key_id]
        except KeyError:
            raise TokenRefused("unknown_key") from None

    async def _fetch(self) -> None:
        self._asked_at = time.monotonic()
        try:
            answer = await self._http.get(self._url)
            answer.raise_for_status()
            self._keys = {key["kid"]: PyJWK(key, ALGORITHM) for key in answer.json()["keys"]}
        except (httpx.HTTPError, ValueError, KeyError, jwt.PyJWTError) as error:
            log.warning("keys_not_fetched", error=type(error).__name__)


class _Proven(NamedTuple):
    caller: ServiceCaller
    key_id: str
    expires_at: float


class TokenVerifier:
    """Turns a token into the caller it stands for, or refuses it with a reason that is counted.

    A service keeps its token for most of a minute, so its signature is checked once, and its time at each
    call (docs/decisions/0074). A person's token is for one page, and is checked whole.
    """

    def __init__(self, audience: str, keys: Keys, withdrawals: Withdrawals | None = None) -> None:
        self._audience = audience
        self._keys = keys
        self._withdrawals = withdrawals or Withdrawals()
        self._proven: dict[bytes, _Proven] = {}
        """By the token's hash, so that no token lies here."""

    async def verify(self, token: str) -> Caller:
        """Raises TokenRefused."""
        digest = hashlib.sha256(token.encode()).digest()
        proven = self._proven.get(digest)
        if proven is not None and time.time() < proven.expires_at + LEEWAY_SECONDS:
            await self._keys.get(proven.key_id)  # one that is published no more proves nothing
            return proven.caller
        key_id, claims = await self._checked(token)
        try:
            caller = _caller(claims)
        except (KeyError, ValueError, TypeError):
            raise TokenRefused("not_valid") from None
        if isinstance(caller, ServiceCaller):
            if len(self._proven) >= MOST_PROVEN:
                self._proven.clear()
            self._proven[digest] = _Proven(caller, key_id, float(claims["exp"]))
        elif self._withdrawals.cover(caller):
            raise TokenRefused("withdrawn")
        return caller

    async def _checked(self, token: str) -> tuple[str, Mapping[str, Any]]:
        """The ID of the key that proves the token, and what it claims. Raises TokenRefused."""
        try:
            header = jwt.get_unverified_header(token)
            if header.get("alg") != ALGORITHM:
                raise TokenRefused("wrong_algorithm")
            key_id = str(header.get("kid"))
            key = await self._keys.get(key_id)
            claims = jwt.decode(
                token,
                key,
                algorithms=[ALGORITHM],
                audience=self._audience,
                issuer=ISSUER,
                leeway=LEEWAY_SECONDS,
                options={"require": ["exp", "iat", "aud", "iss", "sub"]},
            )
            return key_id, claims
        except jwt.ExpiredSignatureError:
            raise TokenRefused("expired") from None
        except jwt.InvalidAudienceError:
            raise TokenRefused("wrong_audience") from None
        except (jwt.PyJWTError, ValueError, TypeError):
            raise TokenRefused("not_valid") from None


def _caller(claims: Mapping[str, str]) -> Caller:
    if claims["kind"] == "service":
        return ServiceCaller(claims["sub"])
    if claims["kind"] != "person":
        raise TokenRefused("not_valid")
    organisation, session = claims.get("organisation_id"), claims.get("session_id")
    return PersonCaller(
        person_id=UUID(claims["sub"]),
        role=Role(claims["role"]),
        organisation_id=UUID(organisation) if organisation else None,
        session_id=UUID(session) if session else None,
    )


class Authenticate:
    """ASGI middleware: refuses every call without a valid token, save on the open paths.

    So a new route is closed unless somebody opens it on purpose. There are no websockets: all are refused.
    """

    def __init__(self, app: ASGIApp, verifier: TokenVerifier, open_paths: frozenset[str]) -> None:
        self.app = app
        self._verifier = verifier
        self._open_paths = open_paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": POLICY_VIOLATION})
            return
        if scope["type"] != "http" or scope["path"] in self._open_paths:
            await self.app(scope, receive, send)
            return
        try:
            scope["caller"] = await self._verifier.verify(_bearer(scope))
        except TokenRefused as refused:
            REFUSED.labels(refused.reason).inc()
            code = ENDED if refused.reason == "withdrawn" else "no-valid-token"
            problem = Problem(401, code, "This call carries no valid token.")
            await problem.response()(scope, receive, send)
            return
        await self.app(scope, receive, send)


def _bearer(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"authorization" and value[:7].lower() == b"bearer ":
            return bytes(value[7:]).decode("latin-1")
    raise TokenRefused("missing")

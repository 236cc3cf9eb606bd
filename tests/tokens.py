"""Internal tokens for tests: what auth would issue, signed with a key of the test's own."""

import time
import uuid
from typing import Any
from uuid import UUID

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from jwt import PyJWK

from shared.contracts.roles import Role
from shared.web.tokens import ALGORITHM, ISSUER, Keys, TokenRefused

LIFETIME_SECONDS = 60


class TestIssuer:
    """Issues tokens for one audience, and knows the key that proves them."""

    __test__ = False

    def __init__(self, audience: str) -> None:
        self._audience = audience
        self._private = Ed25519PrivateKey.generate()
        self._key_id = uuid.uuid4().hex

    @property
    def keys(self) -> Keys:
        return _OneKey(self._key_id, self._private)

    @property
    def published(self) -> dict[str, Any]:
        """The public key as auth publishes it."""
        public = jwt.algorithms.OKPAlgorithm.to_jwk(self._private.public_key(), as_dict=True)
        return {**public, "kid": self._key_id}

    def person(
        self, person_id: UUID, role: Role, organisation_id: UUID | None, session_id: UUID | None = None
    ) -> str:
        claims = {"kind": "person", "role": role.value}
        if organisation_id:
            claims["organisation_id"] = str(organisation_id)
        if session_id:
            claims["session_id"] = str(session_id)
        return self._token(str(person_id), claims)

    def service(self, name: str) -> str:
        return self._token(name, {"kind": "service"})

    def _token(self, subject: str, claims: dict[str, str]) -> str:
        now = int(time.time())
        standard = {
            "iss": ISSUER,
            "aud": self._audience,
            "sub": subject,
            "iat": now,
            "exp": now + LIFETIME_SECONDS,
            "jti": uuid.uuid4().hex,
        }
        return jwt.encode(
            {**standard, **claims}, self._private, algorithm=ALGORITHM, headers={"kid": self._key_id}
        )


class _OneKey:
    def __init__(self, key_id: str, private: Ed25519PrivateKey) -> None:
        self._key_id = key_id
        self._jwk = PyJWK(
            {**jwt.algorithms.OKPAlgorithm.to_jwk(private.public_key(), as_dict=True), "kid": key_id},
            ALGORITHM,
        )

    async def get(self, key_id: str) -> PyJWK:
        if key_id != self._key_id:
            raise TokenRefused("unknown_key")
        return self._jwk

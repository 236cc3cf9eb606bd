"""Internal tokens: signed here with Ed25519, checked everywhere with the published keys (JWKS)."""

import base64
import hashlib
import uuid
from collections.abc import Mapping, Sequence
from datetime import timedelta
from uuid import UUID

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt import PyJWK
from jwt.algorithms import OKPAlgorithm

from services.auth.domain.events import PersonId, SessionId
from shared.clock import Clock
from shared.web.tokens import ALGORITHM, ISSUER, TokenRefused


class SigningKeys:
    """The keys of this service, newest first: the first signs, all are published.

    To rotate: put a new key in front, restart, and drop the last one when its tokens have expired.
    Raises ValueError for a key that is not 32 bytes of base64.
    """

    def __init__(self, encoded: Sequence[str]) -> None:
        self._private = {}
        self._published = {}
        self._public = {}
        for text in encoded:
            key = Ed25519PrivateKey.from_private_bytes(base64.b64decode(text, validate=True))
            raw = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
            key_id = hashlib.sha256(raw).hexdigest()[:16]
            self._private[key_id] = key
            jwk = OKPAlgorithm.to_jwk(key.public_key(), as_dict=True)
            self._published[key_id] = {**jwk, "kid": key_id, "alg": ALGORITHM, "use": "sig"}
            self._public[key_id] = PyJWK(self._published[key_id], ALGORITHM)

    def sign(self, claims: Mapping[str, object]) -> str:
        key_id, key = next(iter(self._private.items()))
        return jwt.encode(dict(claims), key, algorithm=ALGORITHM, headers={"kid": key_id})

    def published(self) -> dict[str, list[dict[str, str]]]:
        """The JWKS document (RFC 7517)."""
        return {"keys": list(self._published.values())}

    async def get(self, key_id: str) -> PyJWK:
        """So that auth checks tokens as every other service does. Raises TokenRefused."""
        try:
            return self._public[key_id]
        except KeyError:
            raise TokenRefused("unknown_key") from None


class TokenIssuer:
    def __init__(self, keys: SigningKeys, clock: Clock, lifetime: timedelta) -> None:
        self._keys = keys
        self._clock = clock
        self.lifetime = lifetime

    def for_service(self, service: str, audience: str) -> str:
        return self._issue(service, audience, {"kind": "service"})

    def for_person(
        self,
        person_id: PersonId,
        role: str,
        organisation_id: UUID | None,
        audience: str,
        session_id: SessionId | None,
    ) -> str:
        claims = {"kind": "person", "role": role}
        if organisation_id is not None:
            claims["organisation_id"] = str(organisation_id)
        if session_id is not None:
            claims["session_id"] = str(session_id)
        return self._issue(str(person_id), audience, claims)

    def _issue(self, subject: str, audience: str, claims: Mapping[str, str]) -> str:
        now = self._clock()
        return self._keys.sign(
            {
                "iss": ISSUER,
                "aud": audience,
                "sub": subject,
                "iat": now,
                "exp": now + self.lifetime,
                "jti": uuid.uuid4().hex,
                **claims,
            }
        )

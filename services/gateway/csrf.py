"""Proof that a form was filled in on one of our own pages. Nothing is stored.

A token is a random part and its MAC together with what the browser holds in a cookie (the session, or before
sign-in the visit). The random part differs for each page, so compressed pages give nothing away (BREACH).
Source: OWASP Cross-Site Request Forgery Prevention Cheat Sheet, "Signed Double-Submit Cookie".
"""

import hmac
import secrets
from collections.abc import Sequence

RANDOM_BYTES = 16


class FormTokens:
    """keys: newest first. The first makes proofs, all prove them, so open pages survive a change of key."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._keys = tuple(keys)

    def issue(self, binding: str) -> str:
        """A token for one form. binding: the value of the cookie that the form must come back with."""
        random = secrets.token_urlsafe(RANDOM_BYTES)
        return f"{random}.{_mac(self._keys[0], random, binding)}"

    def proves(self, token: str, binding: str) -> bool:
        """Whether the token was issued here, for this binding."""
        random, _, mac = token.partition(".")
        sent = mac.encode()
        proven = [hmac.compare_digest(sent, _mac(key, random, binding).encode()) for key in self._keys]
        return any(proven)


def _mac(key: bytes, random: str, binding: str) -> str:
    # The length keeps two parts apart that together read the same.
    message = f"{len(random)}:{random}{binding}".encode()
    return hmac.digest(key, message, "sha256").hex()

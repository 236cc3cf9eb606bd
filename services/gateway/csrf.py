"""Proof that a form was filled in on one of our own pages. Nothing is stored.

A token is a random part and its MAC together with what the browser holds in a cookie (the session, or before
sign-in the visit). The random part differs for each page, so compressed pages give nothing away (BREACH).
Source: OWASP Cross-Site Request Forgery Prevention Cheat Sheet, "Signed Double-Submit Cookie".
"""

import hmac
import secrets

RANDOM_BYTES = 16


class FormTokens:
    def __init__(self, key: bytes) -> None:
        self._key = key

    def issue(self, binding: str) -> str:
        """A token for one form. binding: the value of the cookie that the form must come back with."""
        random = secrets.token_urlsafe(RANDOM_BYTES)
        return f"{random}.{self._mac(random, binding)}"

    def proves(self, token: str, binding: str) -> bool:
        """Whether the token was issued here, for this binding."""
        random, _, mac = token.partition(".")
        return hmac.compare_digest(mac.encode(), self._mac(random, binding).encode())

    def _mac(self, random: str, binding: str) -> str:
        # The length keeps two parts apart that together read the same.
        message = f"{len(random)}:{random}{binding}".encode()
        return hmac.digest(self._key, message, "sha256").hex()

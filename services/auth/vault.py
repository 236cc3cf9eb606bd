"""Secrets of second factors at rest: encrypted, and bound to their person."""

from collections.abc import Sequence
from uuid import UUID

from cryptography.fernet import Fernet, InvalidToken, MultiFernet


class SecretNotReadable(Exception):
    """Encrypted under a key that is not known (any more), or for somebody else."""


class Vault:
    """keys: Fernet keys, newest first: the first encrypts, all decrypt.

    Raises ValueError for what is no key.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        fernets = [Fernet(key) for key in keys]
        self._newest = fernets[0]
        self._all = MultiFernet(fernets)

    def lock(self, secret: str, owner: UUID) -> bytes:
        # With the owner inside: a row copied onto another person opens nothing.
        return self._newest.encrypt(f"{owner}:{secret}".encode())

    def unlock(self, locked: bytes, owner: UUID) -> str:
        """Raises SecretNotReadable."""
        try:
            found, _, secret = self._all.decrypt(locked).decode().partition(":")
        except InvalidToken:
            raise SecretNotReadable from None
        if found != str(owner):
            raise SecretNotReadable
        return secret

    def renewed(self, locked: bytes) -> bytes | None:
        """The same under the newest key; None when it is already. Raises SecretNotReadable."""
        try:
            self._newest.decrypt(locked)
        except InvalidToken:
            try:
                return self._all.rotate(locked)
            except InvalidToken:
                raise SecretNotReadable from None
        return None

"""New keys and secrets for the environment: `python -m services.auth.keys [KIND …]`."""

import base64
import hashlib
import secrets
import sys
from collections.abc import Callable, Mapping

from cryptography.fernet import Fernet

from services.auth.callers import HASHED

KEY_BYTES = 32


def link_key() -> str:
    """For the front of `CHECK_DATA_LINK_KEYS`: 256 random bits, URL-safe."""
    return secrets.token_urlsafe(KEY_BYTES)


def signing_key() -> str:
    """For the front of `CHECK_DATA_SIGNING_KEYS`: an Ed25519 private key, base64. Any 32 bytes are one.

    Source: RFC 8032, 5.1.5.
    """
    return base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()


def second_factor_key() -> str:
    """For `CHECK_DATA_SECOND_FACTOR_KEYS`: a Fernet key, 32 random bytes in URL-safe base64."""
    return Fernet.generate_key().decode()


def service_secret() -> tuple[str, str]:
    """The service's `CHECK_DATA_SERVICE_SECRET`, and what auth's `CHECK_DATA_SERVICE_SECRETS` says of it."""
    secret = secrets.token_urlsafe(KEY_BYTES)
    return secret, HASHED + hashlib.sha256(secret.encode()).hexdigest()


def _new_service_secret() -> str:
    secret, hashed = service_secret()
    return f"service secret (the service keeps it):   {secret}\nits hash (auth keeps it): {hashed}"


MAKE: Mapping[str, Callable[[], str]] = {
    "link": lambda: f"link key (first in CHECK_DATA_LINK_KEYS):       {link_key()}",
    "signing": lambda: f"signing key (first in CHECK_DATA_SIGNING_KEYS): {signing_key()}",
    "second-factor": lambda: f"second factor key (CHECK_DATA_SECOND_FACTOR_KEYS): {second_factor_key()}",
    "secret": _new_service_secret,
}


def main(kinds: list[str]) -> int:
    """Print a new one of each kind, or of those that are named."""
    if unknown := [kind for kind in kinds if kind not in MAKE]:
        sys.stderr.write(f"Not known: {', '.join(unknown)}. Say which of {', '.join(MAKE)}, or nothing.\n")
        return 2
    for kind in kinds or MAKE:
        sys.stdout.write(f"{MAKE[kind]()}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Which service may call which other one. What is not in the table is refused."""

import hashlib
import hmac
from collections.abc import Mapping

from pydantic import SecretStr

MAY_CALL: Mapping[str, frozenset[str]] = {
    "gateway": frozenset({"auth", "access", "participants", "export"}),
    "access": frozenset({"access", "auth", "participants", "export", "manage_ects"}),
    "auth": frozenset({"access"}),
    "participants": frozenset({"manage_ects"}),
    "export": frozenset({"participants"}),
    "manage_ects": frozenset({"participants"}),
}
MAY_ACT_FOR_PEOPLE: Mapping[str, frozenset[str]] = {"export": frozenset({"participants"})}
"""Which service may finish what a person asked for, at which other one."""


HASHED = "sha256:"
"""Starts a setting that is not the secret but its SHA-256 in hexadecimal: then auth keeps no secret."""


def proves_itself(secrets: Mapping[str, SecretStr], service: str, secret: str) -> bool:
    """Whether the secret is the service's. An unknown service takes as long as a known one."""
    known = secrets.get(service)
    expected = several(known) if known else ["no such service"]
    sent = hashlib.sha256(secret.encode()).digest()
    same = [hmac.compare_digest(_digest(one), sent) for one in expected]
    return any(same) and known is not None


def several(setting: SecretStr) -> list[str]:
    """The secrets of one service: one, or while it is changed the new and the old one."""
    return setting.get_secret_value().split() or [""]


def _digest(setting: str) -> bytes:
    if setting.startswith(HASHED):
        return bytes.fromhex(setting.removeprefix(HASHED))
    return hashlib.sha256(setting.encode()).digest()

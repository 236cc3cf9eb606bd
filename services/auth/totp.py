"""Codes of an authenticator app: six digits of a shared secret and the time. Source: RFC 6238."""

import hmac
from datetime import datetime
from typing import Final

import pyotp

STEP_SECONDS: Final = 30
TOLERANCE: Final = 1
"""Steps before and after the present one: clocks of telephones differ, and people type slowly."""
DIGITS: Final = 6
ISSUER: Final = "Check data for delivery partners"


def new_secret() -> str:
    """160 random bits in base32, as RFC 4226 recommends."""
    return pyotp.random_base32()


def enrolment_uri(secret: str, email: str) -> str:
    """What the QR code says. Source: https://github.com/google/google-authenticator/wiki/Key-Uri-Format"""
    return pyotp.TOTP(secret, digits=DIGITS, interval=STEP_SECONDS).provisioning_uri(
        name=email, issuer_name=ISSUER
    )


def step_of(code: str, secret: str, now: datetime, after: int) -> int | None:
    """The time step whose code this is; None when it is wrong, old, or not later than step `after`.

    A code is good once: the step that it belongs to is kept, and the next code must be of a later one.
    Compares in constant time with every step that could be meant.
    """
    typed = "".join(code.split())
    if not (typed.isascii() and typed.isdigit() and len(typed) == DIGITS):
        return None
    totp = pyotp.TOTP(secret, digits=DIGITS, interval=STEP_SECONDS)
    present = int(now.timestamp()) // STEP_SECONDS
    found = None
    for step in range(present - TOLERANCE, present + TOLERANCE + 1):
        if hmac.compare_digest(totp.generate_otp(step), typed) and step > after:
            found = step
    return found

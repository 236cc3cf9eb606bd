"""Settings of auth. Environment variables, prefix `CHECK_DATA_`."""

import re
from datetime import timedelta
from pathlib import Path

import limits
from pydantic import Field, SecretStr, field_validator, model_validator

from services.auth.callers import HASHED, several
from services.auth.domain.link_token import ALL_BITS, FEWEST_BITS
from services.auth.vault import Vault
from shared.keys import SHORTEST_KEY, guessable, too_short
from shared.settings import EmailSettings, ServiceSettings

SHA256 = re.compile("[0-9a-f]{64}")


class AuthSettings(ServiceSettings):
    link_keys: list[SecretStr] = Field(min_length=1)
    """Keys of the links' MACs, newest first, as a JSON list: the first makes links, all prove them."""
    signing_keys: list[SecretStr] = Field(min_length=1)
    """Ed25519 private keys (32 bytes, base64), newest first, as a JSON list. The first signs."""
    second_factor_keys: list[SecretStr] = Field(min_length=1)
    """Keys that encrypt the secrets of second factors (32 bytes, URL-safe base64), newest first, as a JSON
    list. The first encrypts, all decrypt."""
    service_secrets: dict[str, SecretStr] = Field(min_length=1)
    """Which service proves itself with which secret, as a JSON object: the secret, or `sha256:` and its
    SHA-256 in hexadecimal (`python -m services.auth.keys` makes both). While one is changed: both, with a
    space between."""
    link_minutes: int = Field(default=10, ge=1, le=60)
    """How long a sign-in link can be used."""
    link_bits: int = Field(default=ALL_BITS, ge=FEWEST_BITS, le=ALL_BITS, multiple_of=8)
    """How many bits of its MAC a link holds: with 128 it is 45 characters long, with 256 it is 66. A change
    ends the links that were sent before."""
    confirmation_link_days: int = Field(default=5, ge=1, le=14)
    """How long the link in a lead provider's request for confirmation can be used."""
    idle_minutes: int = Field(default=30, ge=1)
    staff_idle_minutes: int = Field(default=15, ge=1)
    """After so long without a request a session is over."""
    absolute_hours: int = Field(default=8, ge=1)
    staff_absolute_hours: int = Field(default=4, ge=1)
    """After so long a session is over in any case."""
    token_seconds: int = Field(default=60, ge=5, le=300)
    """How long an internal token is good for."""
    links_per_address: int = Field(default=5, ge=1)
    """Links that are sent to one person in a quarter of an hour. More are asked for in silence: the last one
    goes on being good, and a person always has one, so nobody is kept out by a stranger who asks."""
    link_limits_network: list[str] = Field(default=["60 per 10 minutes", "500 per day"])
    """How often one network address (of IPv6: one /64) may ask for links, as a JSON list."""
    link_limits_address: list[str] = Field(default=["10 per 10 minutes"])
    """How often one network address may ask for links to one email address."""
    link_limits_everybody: list[str] = Field(default=["600 per minute"])
    """How often all together may ask. It protects the email service."""
    link_limits_device: list[str] = Field(default=["10 per 10 minutes", "60 per day"])
    """How often a browser that somebody signed in from before may ask: the other limits do not hold it up."""
    asking_link_hours: int = Field(default=24, ge=1, le=72)
    """How long the link can be used by which somebody without access asks for it."""
    asking_links_per_address: int = Field(default=3, ge=1)
    """How many such links one address is sent in that time."""
    device_days: int = Field(default=400, ge=1, le=400)
    """How long after the last sign-in from it a browser is known."""
    email: EmailSettings = Field(default_factory=EmailSettings)

    @field_validator(
        "link_limits_network", "link_limits_address", "link_limits_everybody", "link_limits_device"
    )
    @classmethod
    def _limits_are_understood(cls, texts: list[str]) -> list[str]:
        for text in texts:
            limits.parse(text)  # raises ValueError
        return texts

    @model_validator(mode="after")
    def _keys_are_strong(self) -> "AuthSettings":
        service_secrets = [one for two in self.service_secrets.values() for one in several(two)]
        keys = [key.get_secret_value() for key in self.link_keys]
        if any(too_short(key) for key in (*keys, *service_secrets)):
            raise ValueError(f"each key and secret has {SHORTEST_KEY} bytes at least")
        for text in service_secrets:
            if text.startswith(HASHED) and not SHA256.fullmatch(text.removeprefix(HASHED)):
                raise ValueError(f"after `{HASHED}` come 64 hexadecimal digits")
        keys += [key.get_secret_value() for key in (*self.signing_keys, *self.second_factor_keys)]
        if not self.development and any(guessable(key) for key in (*keys, *service_secrets)):
            raise ValueError("a key or secret can be guessed: `python -m services.auth.keys` makes good ones")
        try:
            Vault([key.get_secret_value() for key in self.second_factor_keys])
        except ValueError:
            raise ValueError("each second factor key has 32 bytes in URL-safe base64") from None
        return self

    @property
    def shown_codes(self) -> Path | None:
        """Where the development inbox finds whose codes to show. None in production, whatever is set."""
        if self.development and self.email.via == "inbox":
            return self.email.inbox_folder / "second-factors"
        return None

    @property
    def link_lifetime(self) -> timedelta:
        return timedelta(minutes=self.link_minutes)

    @property
    def confirmation_lifetime(self) -> timedelta:
        return timedelta(days=self.confirmation_link_days)


Settings = AuthSettings

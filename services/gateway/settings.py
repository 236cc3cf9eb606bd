"""Settings of the gateway. Environment variables, prefix `CHECK_DATA_`."""

import secrets
from pathlib import Path

from pydantic import Field, SecretStr, model_validator

from services.gateway.catalogues import PSEUDO, available
from services.gateway.language import ENGLISH
from shared.keys import SHORTEST_KEY, guessable, too_short
from shared.settings import CommonSettings, EmailSettings


class GatewaySettings(CommonSettings):
    access_url: str = "http://127.0.0.1:8002"
    participants_url: str = "http://127.0.0.1:8003"
    export_url: str = "http://127.0.0.1:8004"
    assets_folder: Path = Path("var/assets")
    """Where `python -m services.gateway.assets` put stylesheets, scripts, fonts and images."""
    csrf_keys: list[SecretStr] = Field(default_factory=list)
    """Prove that a form is one of ours; the same for every gateway; newest first, as a JSON list: the first
    makes proofs, all prove them. In development they may be left out."""
    answer_seconds: float = Field(default=8.0, gt=0)
    """How long a service may take to answer."""
    calls_at_once: int = Field(default=50, gt=0)
    """How many calls may wait for one service; a page that needs one more is unavailable, at once."""
    circuit_failures: int = Field(default=5, gt=0)
    """After how many failures in a row a service is not called for a pause."""
    circuit_pause_seconds: float = Field(default=5.0, gt=0)
    """How long that pause is; then one call tries."""
    requests_at_once: int = Field(default=200, gt=0)
    """How many requests may be under way; further ones are sent away (503). More than three services' calls,
    so that slow ones leave room for the pages of the others."""
    trusted_proxies: int = Field(default=0, ge=0, le=10)
    """Proxies in front that add the caller to `X-Forwarded-For`. Limits by network address count on it."""
    languages: list[str] = Field(default_factory=lambda: [ENGLISH.tag], min_length=1)
    """In which languages pages are offered, as a JSON list of tags: `["en", "cy"]`. The first is for whoever
    did not choose. With one there is no choice to show. `en-XA`, in development only, puts each sentence into
    brackets."""
    support_email: str = "support@example.org"
    """Whom the contact page names."""
    email: EmailSettings = Field(default_factory=EmailSettings)
    """Where the development inbox is (prefix `CHECK_DATA_EMAIL_`)."""

    @model_validator(mode="after")
    def _key_is_strong(self) -> "GatewaySettings":
        keys = [key.get_secret_value() for key in self.csrf_keys]
        if any(too_short(key) for key in keys) or not (keys or self.development):
            raise ValueError(f"csrf_keys needs a key, and each has {SHORTEST_KEY} bytes at least")
        if not self.development and any(guessable(key) for key in keys):
            raise ValueError("csrf_keys holds a key that can be guessed: `check-data keys csrf announce`")
        return self

    @model_validator(mode="after")
    def _languages_are_known(self) -> "GatewaySettings":
        offered = available() if not self.development else (*available(), PSEUDO)
        unknown = set(self.languages) - set(offered)
        if unknown or len(set(self.languages)) != len(self.languages):
            raise ValueError(f"languages takes each of {', '.join(offered)} once")
        return self

    def form_keys(self) -> list[bytes]:
        """The keys of the forms; in development, without one, made up for as long as the process lives."""
        keys = [key.get_secret_value().encode() for key in self.csrf_keys]
        return keys or [secrets.token_bytes(SHORTEST_KEY)]


Settings = GatewaySettings

"""Settings that every service has. Environment variables, prefix `CHECK_DATA_`."""

from enum import StrEnum
from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Environment(StrEnum):
    DEVELOPMENT = "development"
    PRODUCTION = "production"


class CommonSettings(BaseSettings):
    """What the process is and where it listens."""

    model_config = SettingsConfigDict(
        env_prefix="CHECK_DATA_",
        frozen=True,
        extra="ignore",
        hide_input_in_errors=True,  # it holds secrets
    )

    environment: Environment = Environment.PRODUCTION
    """`development` adds the development inbox and allows cookies without TLS."""
    host: str = "127.0.0.1"
    """Address to listen on."""
    port: int = 8000
    """Port of the HTTP interface; 0 lets the system choose."""
    metrics_port: int = 0
    """Port of /metrics, on the same address, kept private. 0: no metrics are served."""
    log_level: str = "INFO"
    traces_to: str = ""
    """A collector's OTLP address over HTTP, such as `http://collector:4318`; empty: traces are not told."""
    traces_share: float = Field(default=1.0, ge=0, le=1)
    """Which share of the traces is told; the same for every service, so that traces stay whole."""
    public_url: str = "http://127.0.0.1:8000"
    """Where people reach the gateway; the start of links in emails."""
    auth_url: str = "http://127.0.0.1:8001"
    """Where services reach auth: its keys (JWKS) and its tokens."""
    service_secret: SecretStr = SecretStr("")
    """With which this service asks auth for its own tokens."""

    @property
    def development(self) -> bool:
        return self.environment is Environment.DEVELOPMENT


class ServiceSettings(CommonSettings):
    """A service with a database and a place on the bus."""

    database_url: SecretStr
    """The service's own database, as its login role (not the owner of the tables)."""
    database_pool_size: int = 10
    redis_url: SecretStr
    """The bus: `redis://…`, or nodes of a cluster, `redis+cluster://host:port,host:port`. May vanish at any
    moment."""
    bus_partitions: int = Field(default=1, ge=1, le=256)
    """Streams per publisher; the same for every service."""
    bus_max_length: int = Field(default=1_000_000, ge=1_000)
    """Entries kept per stream (about). Readers that are further behind use the publisher's feed."""
    bus_max_age_days: float = Field(default=7, gt=0)
    """How long an entry is kept (about)."""
    relay_poll_seconds: float = Field(default=0.5, gt=0)
    """How often the relay looks for itself when no notification woke it."""
    relay_batch: int = Field(default=500, ge=1)
    projection_batch: int = Field(default=500, ge=1)
    """Events applied in one transaction at most."""
    retention_days: int = Field(default=90, ge=30)
    """How long jobs that are done, settled parked events' content, and what else is over are kept."""
    feed_urls: dict[str, str] = Field(default_factory=dict)
    """Where each publisher serves its event feed: {"access": "http://…"} as JSON."""


class EmailSettings(BaseSettings):
    """How emails are sent. Exactly one of the three ways."""

    model_config = SettingsConfigDict(
        env_prefix="CHECK_DATA_EMAIL_", frozen=True, extra="ignore", hide_input_in_errors=True
    )

    via: str = Field(default="smtp", pattern="^(smtp|notify|inbox)$")
    """`smtp`, `notify` (GOV.UK Notify) or `inbox` (files for the development inbox page)."""
    sender: str = "no-reply@example.org"
    smtp_host: str = "127.0.0.1"
    smtp_port: int = 25
    smtp_user: str = ""
    smtp_password: SecretStr = SecretStr("")
    smtp_start_tls: bool = True
    notify_api_key: SecretStr = SecretStr("")
    notify_template_id: str = ""
    """The template of shared/email/notify_template.txt in Notify; `check-data emails check` compares them."""
    notify_url: str = "https://api.notifications.service.gov.uk"
    inbox_folder: Path = Path("var/inbox")

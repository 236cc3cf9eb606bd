"""Settings of access. Environment variables, prefix `CHECK_DATA_`."""

from pydantic import Field

from shared.settings import EmailSettings, ServiceSettings


class AccessSettings(ServiceSettings):
    email: EmailSettings = Field(default_factory=EmailSettings)
    """How people are told (prefix `CHECK_DATA_EMAIL_`)."""
    lapse_seconds: float = Field(default=300.0, gt=0)
    """How often the register is looked through for agreements whose last day is past."""


Settings = AccessSettings

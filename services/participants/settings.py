"""Settings of participants."""

from pydantic import Field, SecretStr

from shared.settings import ServiceSettings


class ParticipantsSettings(ServiceSettings):
    reader_database_url: SecretStr
    """The same database as the role participants_reader, which sees one organisation at a time."""
    reader_pool_size: int = 10
    derivation_batch: int = Field(default=200, ge=1)
    """Participants derived in one transaction at most."""
    visit_days: int = Field(default=180, ge=1)
    """How long it is known when a person last saw a list. After that they come as on a first visit."""


Settings = ParticipantsSettings

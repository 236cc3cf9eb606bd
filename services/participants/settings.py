"""Settings of participants."""

from pydantic import Field, SecretStr

from shared.settings import ServiceSettings


class ParticipantsSettings(ServiceSettings):
    reader_database_url: SecretStr
    """The same database as the role participants_reader, which sees one organisation at a time."""
    reader_pool_size: int = 10
    reader_replica_database_url: SecretStr | None = None
    """The same role on a streaming replica of it, to read lists, people and rows of files from."""
    reader_replica_limit_seconds: float = Field(default=5.0, gt=2)
    """How far behind it may be at most; then the primary is read."""
    derivation_batch: int = Field(default=200, ge=1)
    """Participants derived in one transaction at most."""
    visit_days: int = Field(default=180, ge=1)
    """How long it is known when a person last saw a list. After that they come as on a first visit."""


Settings = ParticipantsSettings

"""Settings of the stand-in for Manage ECTs."""

from pydantic import Field

from shared.settings import ServiceSettings


class ManageEctsSettings(ServiceSettings):
    seed: int = 20_260_901
    """Which made-up world this is."""
    participants: int = Field(default=5_000, ge=1)
    """How many participants the made-up history has."""
    trickle_seconds: float = Field(default=20.0, ge=0)
    """Time between two small changes; 0: nothing changes any more."""


Settings = ManageEctsSettings

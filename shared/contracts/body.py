"""The base of every body that services exchange over HTTP."""

from pydantic import BaseModel, ConfigDict


class Body(BaseModel):
    """Immutable, and strict about what it was not told of: a misspelt field is an error, not a silence."""

    model_config = ConfigDict(frozen=True, extra="forbid")

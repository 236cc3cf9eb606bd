"""Settings of export."""

from pathlib import Path

from pydantic import Field

from shared.settings import ServiceSettings


class ExportSettings(ServiceSettings):
    participants_url: str = "http://127.0.0.1:8003"
    """Where participants serves the rows."""
    export_store: str = Field(
        default_factory=lambda: (Path("var") / "exports").absolute().as_uri(),
        pattern=r"^(file:///|(s3|s3a|gs|az|azure|adl|abfs|abfss)://[^/]+)",
    )
    """Where the files are kept: `file:///a/folder`, `s3://bucket/prefix`, `gs://bucket/prefix` or
    `az://container/prefix` (with `AZURE_STORAGE_ACCOUNT_NAME`). Keys and endpoints of the clouds come from
    their own environment variables (`AWS_…`, `GOOGLE_…`, `AZURE_…`)."""
    export_store_plain_http: bool = False
    """Whether that endpoint may be spoken to without TLS: for a store in one's own network."""
    export_lifetime_hours: float = Field(default=24, gt=0, le=24 * 31)
    """How long a file is offered; then it is deleted."""
    export_limit: int = Field(default=5, ge=1)
    """Exports that one person may have unfinished at a time."""
    export_limit_organisation: int = Field(default=20, ge=1)
    """Exports that the people of one organisation together may have unfinished at a time."""
    export_limit_hour: int = Field(default=60, ge=1)
    """Exports that one person may ask for in an hour."""
    export_limit_rows: int = Field(default=1_000_000, ge=1, le=1_048_575)
    """Rows of one file; no sheet of a workbook has more than the greatest."""
    export_places: int = Field(default=4, ge=1)
    """Files that one process writes at a time."""
    export_places_each: int = Field(default=2, ge=1)
    """Of them, by one organisation at most: fewer, so that there is room for another's short file."""
    export_expiry_seconds: float = Field(default=10, gt=0)
    """Time between two looks for files whose time is over."""


Settings = ExportSettings

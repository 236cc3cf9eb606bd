"""When the writing of a file began, and when it was last downloaded."""

from alembic import op

revision = "export_0004"
down_revision = "export_0003"
branch_labels = None
depends_on = None

STATEMENTS = (
    "ALTER TABLE exports ADD COLUMN started_at timestamptz, ADD COLUMN downloaded_at timestamptz",
    """
    UPDATE exports SET downloaded_at = downloads.at
    FROM (SELECT stream, max(recorded_at) AS at FROM events WHERE type = 'Downloaded' GROUP BY stream)
        AS downloads
    WHERE downloads.stream = 'export-' || exports.export_id
    """,
    """
    CREATE INDEX exports_unfinished_of_an_organisation ON exports (organisation_id)
    WHERE state IN ('waiting', 'writing')
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)

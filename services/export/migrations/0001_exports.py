"""The table of exports, as their owners see them."""

from alembic import op

from shared.database.grants import grant

revision = "export_0001"
down_revision = None
branch_labels = ("export",)
depends_on = "backbone_0001"

STATEMENTS = (
    """
    CREATE TABLE exports (
        export_id uuid PRIMARY KEY,
        person_id uuid NOT NULL,
        role text NOT NULL,
        organisation_id uuid NOT NULL,
        query jsonb NOT NULL,
        file_name text NOT NULL,
        state text NOT NULL CHECK (state IN ('waiting', 'writing', 'ready', 'failed', 'expired')),
        asked_at timestamptz NOT NULL,
        rows_written bigint NOT NULL DEFAULT 0,
        rows_total bigint,
        bytes bigint,
        location text,
        expires_at timestamptz,
        failure text
    )
    """,
    "CREATE INDEX exports_of_a_person ON exports (person_id, asked_at DESC)",
    "CREATE INDEX exports_unfinished ON exports (person_id) WHERE state IN ('waiting', 'writing')",
    "CREATE INDEX exports_to_expire ON exports (expires_at) WHERE state = 'ready'",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
    grant("SELECT, INSERT, UPDATE", "exports")

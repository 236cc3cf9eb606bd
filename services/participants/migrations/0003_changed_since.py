"""When each person was here before, and an index for what was received since."""

from alembic import op

from shared.database.grants import grant

revision = "participants_0003"
down_revision = "participants_0002"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    CREATE TABLE visits (
        person_id uuid NOT NULL,
        role text NOT NULL,
        organisation_id uuid NOT NULL,
        session_id uuid NOT NULL,
        seen_at timestamptz NOT NULL,
        before timestamptz,
        PRIMARY KEY (person_id, role, organisation_id)
    )
    """,
    """
    CREATE INDEX status_history_received
    ON status_history (organisation_id, organisation_kind, received_at) INCLUDE (participant_id)
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
    grant("SELECT, INSERT, UPDATE", "visits")

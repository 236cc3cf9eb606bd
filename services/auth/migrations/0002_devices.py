"""From which browsers people signed in, and what a session is called in the list of one's own."""

from alembic import op

from shared.database.grants import grant

revision = "auth_0002"
down_revision = "auth_0001"
branch_labels = None
depends_on = None

STATEMENTS = (
    "ALTER TABLE sessions ADD COLUMN started_at timestamptz",
    "ALTER TABLE sessions ADD COLUMN browser text",
    "CREATE INDEX sessions_of_person ON sessions (person_id) WHERE ended_at IS NULL",
    """
    CREATE TABLE devices (
        device_hash bytea NOT NULL,
        person_id uuid NOT NULL,
        first_seen timestamptz NOT NULL,
        last_seen timestamptz NOT NULL,
        PRIMARY KEY (device_hash, person_id)
    )
    """,
    "CREATE INDEX devices_of_person ON devices (person_id)",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
    grant("SELECT, INSERT, UPDATE, DELETE", "devices")

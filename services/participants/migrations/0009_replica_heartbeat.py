"""A moment that is written anew each second, to be seen on a streaming replica: how far that is behind."""

from alembic import op

from shared.database.grants import grant

revision = "participants_0009"
down_revision = "participants_0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "CREATE TABLE replica_heartbeat"
        " (one boolean PRIMARY KEY DEFAULT true CHECK (one), beaten_at timestamptz NOT NULL)"
    )
    op.execute("INSERT INTO replica_heartbeat (beaten_at) VALUES (clock_timestamp())")
    grant("SELECT, UPDATE", "replica_heartbeat")
    grant("SELECT", "replica_heartbeat", role="participants_reader")

"""Visits may be forgotten."""

from alembic import op

from shared.database.grants import grant

revision = "participants_0006"
down_revision = "participants_0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    grant("DELETE", "visits")
    op.execute("CREATE INDEX visits_seen ON visits (seen_at)")

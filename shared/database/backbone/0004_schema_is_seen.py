"""Services see which schema there is: one that is older than their code needs makes them not ready."""

from shared.database.grants import grant

revision = "backbone_0004"
down_revision = "backbone_sent_emails"
branch_labels = None
depends_on = None


def upgrade() -> None:
    grant("SELECT", "alembic_version")

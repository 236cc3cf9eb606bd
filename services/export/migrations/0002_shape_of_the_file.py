"""Which columns a file has, and whether it begins with a byte-order mark."""

from alembic import op

revision = "export_0002"
down_revision = "export_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Files that were asked for before have every column: what an empty shape says."""
    op.execute("ALTER TABLE exports ADD COLUMN shape jsonb NOT NULL DEFAULT '{}'")

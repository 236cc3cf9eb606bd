"""Grants that are suspended and restored."""

from alembic import op

revision = "access_0004"
down_revision = "access_0003"
branch_labels = None
depends_on = None

STATEMENTS = (
    "ALTER TABLE grants ADD COLUMN suspended_at timestamptz, ADD COLUMN suspended_reason text",
    """
    CREATE INDEX suspended_grants ON grants (suspended_at)
    WHERE ended_at IS NULL AND suspended_at IS NOT NULL
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)

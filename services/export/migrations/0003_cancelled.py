"""Exports may be cancelled."""

from alembic import op

revision = "export_0003"
down_revision = "export_0002"
branch_labels = None
depends_on = None

STATEMENTS = (
    "ALTER TABLE exports DROP CONSTRAINT exports_state_check",
    """
    ALTER TABLE exports ADD CONSTRAINT exports_state_check
    CHECK (state IN ('waiting', 'writing', 'ready', 'failed', 'expired', 'cancelled'))
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)

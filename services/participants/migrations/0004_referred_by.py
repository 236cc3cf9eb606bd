"""What a participant refers to is asked for at every derivation, and not only who refers to something."""

from alembic import op

revision = "participants_0004"
down_revision = "participants_0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "CREATE INDEX subject_references_referrer ON subject_references (referrer_id) INCLUDE (referred_id)"
    )

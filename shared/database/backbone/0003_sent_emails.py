"""What became of the emails that were sent."""

from alembic import op

from shared.database.grants import grant

revision = "backbone_sent_emails"
down_revision = "backbone_0002"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    CREATE TABLE sent_emails (
        reference text PRIMARY KEY,
        address text NOT NULL,
        subject text NOT NULL,
        state text NOT NULL CHECK (state IN ('sent', 'delivered', 'failed')),
        reason text,
        provider_id text,
        sent_at timestamptz NOT NULL,
        looked_at timestamptz NOT NULL
    )
    """,
    """
    CREATE INDEX sent_emails_open ON sent_emails (looked_at)
    WHERE state = 'sent' AND provider_id IS NOT NULL
    """,
    "CREATE INDEX sent_emails_failed ON sent_emails (sent_at) WHERE state = 'failed'",
    "CREATE INDEX sent_emails_age ON sent_emails (sent_at)",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
    grant("SELECT, INSERT, UPDATE, DELETE", "sent_emails")

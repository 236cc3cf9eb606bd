"""Review campaigns: which grants were asked about, and what became of each."""

from alembic import op

from shared.database.grants import grant

revision = "access_0005"
down_revision = "access_0004"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    CREATE TABLE review_campaigns (
        campaign_id uuid PRIMARY KEY,
        due_until date NOT NULL,
        answer_by date NOT NULL,
        opened_by uuid,
        opened_at timestamptz NOT NULL
    )
    """,
    """
    CREATE TABLE reviews (
        campaign_id uuid NOT NULL,
        grant_id uuid NOT NULL,
        answer_by date NOT NULL,
        outcome text NOT NULL CHECK (outcome IN ('open', 'confirmed', 'ended', 'suspended')),
        settled_at timestamptz,
        PRIMARY KEY (campaign_id, grant_id)
    )
    """,
    "CREATE UNIQUE INDEX one_open_review ON reviews (grant_id) WHERE outcome = 'open'",
    "CREATE INDEX grants_to_review ON grants (review_on) WHERE ended_at IS NULL AND suspended_at IS NULL",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
    grant("SELECT, INSERT, UPDATE", "review_campaigns", "reviews")

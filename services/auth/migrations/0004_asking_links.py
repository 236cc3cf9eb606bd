"""Links by which people without access ask for it: where each was sent to, for as long as it is good."""

from alembic import op

from shared.database.grants import grant

revision = "auth_0004"
down_revision = "auth_0003"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    CREATE TABLE asking_links (
        link_id uuid PRIMARY KEY,
        email text NOT NULL,
        email_key text NOT NULL,
        expires_at timestamptz NOT NULL,
        used_at timestamptz
    )
    """,
    "CREATE INDEX asking_links_of_address ON asking_links (email_key)",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
    grant("SELECT, INSERT, UPDATE, DELETE", "asking_links")

"""The second factor of staff: secrets (encrypted), failed tries, and whether a session has passed it."""

from alembic import op

from shared.database.grants import grant

revision = "auth_0003"
down_revision = "auth_0002"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    CREATE TABLE second_factors (
        person_id uuid PRIMARY KEY,
        secret bytea NOT NULL,
        last_step bigint NOT NULL,
        enrolled_at timestamptz NOT NULL
    )
    """,
    "CREATE TABLE wrong_codes (person_id uuid NOT NULL, session_id uuid NOT NULL, at timestamptz NOT NULL)",
    "CREATE INDEX wrong_codes_of_person ON wrong_codes (person_id, at)",
    "ALTER TABLE sessions ADD COLUMN confirmed_at timestamptz",
    "ALTER TABLE sessions ADD COLUMN offered_secret bytea",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
    grant("SELECT, INSERT, UPDATE, DELETE", "second_factors", "wrong_codes")

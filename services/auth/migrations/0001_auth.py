"""People, organisations, grants, links and sessions."""

from alembic import op

from shared.database.grants import grant

revision = "auth_0001"
down_revision = None
branch_labels = ("auth",)
depends_on = "backbone_0001"

STATEMENTS = (
    """
    CREATE TABLE people (
        person_id uuid PRIMARY KEY,
        full_name text NOT NULL,
        email text NOT NULL,
        email_key text NOT NULL
    )
    """,
    "CREATE INDEX people_by_email ON people (email_key)",
    "CREATE TABLE organisations (organisation_id uuid PRIMARY KEY, name text NOT NULL)",
    """
    CREATE TABLE grants (
        grant_id uuid PRIMARY KEY,
        person_id uuid NOT NULL,
        role text NOT NULL,
        organisation_id uuid,
        review_on date
    )
    """,
    "CREATE INDEX grants_of_person ON grants (person_id)",
    """
    CREATE TABLE links (
        link_id uuid PRIMARY KEY,
        person_id uuid NOT NULL,
        purpose text NOT NULL,
        issued_at timestamptz NOT NULL,
        spent_at timestamptz
    )
    """,
    "CREATE INDEX links_of_person ON links (person_id, issued_at)",
    """
    CREATE TABLE sessions (
        session_id uuid PRIMARY KEY,
        secret_hash bytea NOT NULL UNIQUE,
        person_id uuid NOT NULL,
        grant_id uuid,
        return_to text,
        seen_at timestamptz NOT NULL,
        idle_until timestamptz NOT NULL,
        absolute_until timestamptz NOT NULL,
        ended_at timestamptz
    )
    """,
    "CREATE INDEX sessions_of_grant ON sessions (grant_id) WHERE ended_at IS NULL",
    "CREATE INDEX sessions_in_force ON sessions (idle_until) WHERE ended_at IS NULL",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
    grant("SELECT, INSERT, UPDATE, DELETE", "people", "organisations", "grants", "links", "sessions")

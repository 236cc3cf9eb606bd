"""Who was erased from the log, by whom and why."""

from alembic import op

revision = "participants_0007"
down_revision = "participants_0006"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    CREATE TABLE erasures (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        participant_id uuid NOT NULL,
        by text NOT NULL,
        why text NOT NULL,
        events integer NOT NULL,
        parked_events integer NOT NULL,
        at timestamptz NOT NULL DEFAULT clock_timestamp()
    )
    """,
    """
    CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON erasures
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)

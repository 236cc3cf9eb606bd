"""What operators did about parked events and jobs, and parked events kept exactly as they came."""

from alembic import op

from shared.database.grants import grant

revision = "backbone_0002"
down_revision = "backbone_0001"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    CREATE TABLE parked_actions (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        about text NOT NULL CHECK (about IN ('event', 'job')),
        number bigint NOT NULL,
        action text NOT NULL CHECK (action IN ('shown', 'retried', 'discarded')),
        by text NOT NULL,
        why text NOT NULL,
        at timestamptz NOT NULL DEFAULT clock_timestamp()
    )
    """,
    """
    CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON parked_actions
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
    """,
    """
    INSERT INTO parked_actions (about, number, action, by, why, at)
    SELECT 'event', id, settled_how, settled_by, settled_why, settled_at
    FROM parked_events WHERE settled_at IS NOT NULL ORDER BY settled_at
    """,
    # Dropped at once, since no process of a service names them: an operator's command does.
    # jsonb keeps neither NUL nor half a character; json keeps both, as the escapes that they came as.
    """
    ALTER TABLE parked_events
        DROP COLUMN settled_by,
        DROP COLUMN settled_why,
        ALTER COLUMN event TYPE json USING event::json
    """,
    """
    ALTER TABLE work
        DROP CONSTRAINT work_state_check,
        ADD CONSTRAINT work_state_check CHECK (state IN ('due', 'done', 'parked', 'discarded'))
    """,
    "CREATE INDEX work_parked ON work (kind) WHERE state = 'parked'",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
    grant("SELECT, INSERT", "parked_actions")

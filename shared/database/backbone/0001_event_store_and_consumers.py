"""The tables that every service has: events, positions, checkpoints, parked events, work."""

from alembic import op

from shared.database.grants import grant

revision = "backbone_0001"
down_revision = None
branch_labels = ("backbone",)
depends_on = None

STATEMENTS = (
    """
    CREATE TABLE events (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        event_id uuid NOT NULL,
        stream text NOT NULL,
        version integer NOT NULL CHECK (version > 0),
        type text NOT NULL,
        schema_version smallint NOT NULL,
        data jsonb NOT NULL,
        metadata jsonb NOT NULL,
        bucket smallint NOT NULL,
        happened_at timestamptz NOT NULL,
        recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        UNIQUE (stream, version)
    )
    """,
    """
    CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'table % is append-only', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
    END $$
    """,
    """
    CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON events
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
    """,
    # No foreign keys to events: rows there never go away, and the check would cost every append.
    "CREATE TABLE event_positions (position bigint PRIMARY KEY, event bigint NOT NULL UNIQUE)",
    """
    CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON event_positions
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
    """,
    # A queue: rows live for milliseconds, so it is vacuumed by number rather than by share.
    """
    CREATE TABLE events_awaiting_position (event bigint PRIMARY KEY)
    WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000)
    """,
    """
    CREATE TABLE checkpoints (
        projection text NOT NULL,
        partition smallint NOT NULL,
        position bigint NOT NULL,
        updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        PRIMARY KEY (projection, partition)
    )
    """,
    """
    CREATE TABLE parked_events (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        projection text NOT NULL,
        subject text NOT NULL,
        position bigint NOT NULL,
        type text NOT NULL,
        event jsonb NOT NULL,
        reason text NOT NULL,
        parked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        tries integer NOT NULL DEFAULT 1,
        settled_at timestamptz,
        settled_how text CHECK (settled_how IN ('retried', 'discarded')),
        settled_by text,
        settled_why text,
        UNIQUE (projection, position)
    )
    """,
    "CREATE INDEX parked_subjects ON parked_events (projection, subject) WHERE settled_at IS NULL",
    """
    CREATE TABLE work (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        kind text NOT NULL,
        key text NOT NULL,
        data jsonb NOT NULL,
        trace jsonb NOT NULL,
        state text NOT NULL DEFAULT 'due' CHECK (state IN ('due', 'done', 'parked')),
        tries integer NOT NULL DEFAULT 0,
        due_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        lease uuid,
        last_error text,
        created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        settled_at timestamptz,
        UNIQUE (kind, key)
    )
    """,
    "CREATE INDEX work_due ON work (due_at) WHERE state = 'due'",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
    grant("SELECT, INSERT", "events", "event_positions")
    grant("SELECT, INSERT, DELETE", "events_awaiting_position")
    grant("SELECT, INSERT, UPDATE", "checkpoints", "parked_events")
    grant("SELECT, INSERT, UPDATE, DELETE", "work")

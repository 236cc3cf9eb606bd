"""The log of received events, the read model with its row-level security, and what leads to it."""

from alembic import op

from shared.database.grants import grant, service_role

revision = "participants_0001"
down_revision = None
branch_labels = ("participants",)
depends_on = "backbone_0001"

READER = "participants_reader"

STATEMENTS = (
    "CREATE EXTENSION IF NOT EXISTS pg_trgm",
    "CREATE EXTENSION IF NOT EXISTS btree_gin",
    """
    CREATE TABLE received_events (
        position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        event_id text NOT NULL UNIQUE,
        subject uuid NOT NULL,
        type text NOT NULL,
        sequence bigint NOT NULL,
        time timestamptz NOT NULL,
        received_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        data jsonb NOT NULL
    )
    """,
    "CREATE INDEX received_events_subject ON received_events (subject)",
    """
    CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON received_events
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
    """,
    """
    CREATE TABLE subject_references (
        referred_id uuid NOT NULL,
        referrer_id uuid NOT NULL,
        by_participant boolean NOT NULL,
        PRIMARY KEY (referred_id, referrer_id)
    )
    """,
    """
    CREATE TABLE mentor_namings (
        participant_id uuid NOT NULL,
        mentor_participant_id uuid NOT NULL,
        number smallint NOT NULL,
        induction_record_id uuid NOT NULL,
        since timestamptz NOT NULL,
        until timestamptz,
        received_at timestamptz NOT NULL,
        ended_received_at timestamptz,
        PRIMARY KEY (participant_id, mentor_participant_id, number)
    )
    """,
    "CREATE INDEX mentor_namings_mentor ON mentor_namings (mentor_participant_id)",
    "CREATE SEQUENCE derivation_generations",
    # A queue: rows live for moments, so it is vacuumed by number rather than by share.
    """
    CREATE TABLE derivations_due (
        participant_id uuid PRIMARY KEY,
        generation bigint NOT NULL,
        failure text
    ) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000)
    """,
    "CREATE INDEX derivations_due_next ON derivations_due (generation) WHERE failure IS NULL",
    "CREATE TABLE present_day (one boolean PRIMARY KEY DEFAULT true CHECK (one), day date NOT NULL)",
    """
    CREATE TABLE participant_views (
        participant_id uuid NOT NULL,
        organisation_id uuid NOT NULL,
        organisation_kind text NOT NULL,
        full_name text NOT NULL,
        sort_name text NOT NULL,
        email text NOT NULL,
        trn text,
        role text NOT NULL,
        lead_provider text,
        school text,
        urn text,
        academic_year integer NOT NULL,
        training_status text NOT NULL,
        status text NOT NULL,
        state text NOT NULL,
        status_since timestamptz NOT NULL,
        induction_completed_on date,
        school_left_on date,
        search_text text NOT NULL,
        next_due date,
        PRIMARY KEY (participant_id, organisation_id, organisation_kind)
    )
    """,
    """
    CREATE INDEX participant_views_in_order
    ON participant_views (organisation_id, organisation_kind, sort_name, participant_id)
    """,
    """
    CREATE INDEX participant_views_filtered
    ON participant_views (organisation_id, organisation_kind, academic_year, status, role)
    """,
    """
    CREATE INDEX participant_views_search
    ON participant_views USING gin (organisation_id, search_text gin_trgm_ops)
    """,
    "CREATE INDEX participant_views_due ON participant_views (next_due) WHERE next_due IS NOT NULL",
    """
    CREATE TABLE status_history (
        participant_id uuid NOT NULL,
        organisation_id uuid NOT NULL,
        organisation_kind text NOT NULL,
        number smallint NOT NULL,
        since timestamptz NOT NULL,
        status text,
        state text,
        received_at timestamptz,
        PRIMARY KEY (participant_id, organisation_id, organisation_kind, number)
    )
    """,
)

# The reader says once in each transaction whom it reads for; without it there is nothing to see. An empty
# setting is what is left of one that was set in an earlier transaction of the same connection.
OF_THE_ORGANISATION = """
    organisation_id = nullif(current_setting('check_data.organisation', true), '')::uuid
    AND organisation_kind = current_setting('check_data.organisation_kind', true)
"""


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
    grant("SELECT, INSERT", "received_events", "subject_references")
    grant("SELECT, INSERT, UPDATE", "present_day")
    grant(
        "SELECT, INSERT, UPDATE, DELETE",
        "derivations_due",
        "mentor_namings",
        "participant_views",
        "status_history",
    )
    op.execute(f"GRANT USAGE ON SEQUENCE derivation_generations TO {service_role()}")
    for table in ("participant_views", "status_history"):
        grant("SELECT", table, role=READER)
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY one_organisation ON {table} FOR SELECT TO {READER} USING ({OF_THE_ORGANISATION})"
        )
        op.execute(
            f"CREATE POLICY everything ON {table} FOR ALL TO {service_role()} USING (true) WITH CHECK (true)"
        )

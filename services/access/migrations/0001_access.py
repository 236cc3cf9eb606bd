"""Rows that the pages of access show, and the audit."""

from alembic import op

from shared.database.grants import grant

revision = "access_0001"
down_revision = None
branch_labels = ("access",)
depends_on = "backbone_0001"

# No foreign keys: every row follows from an event, and a rebuild writes them in any order.
STATEMENTS = (
    """
    CREATE TABLE organisations (
        organisation_id uuid PRIMARY KEY,
        kind text NOT NULL CHECK (kind IN ('lead_provider', 'delivery_partner', 'appropriate_body')),
        name text NOT NULL
    )
    """,
    """
    CREATE TABLE people (
        person_id uuid PRIMARY KEY,
        full_name text NOT NULL,
        email text NOT NULL,
        email_key text NOT NULL UNIQUE
    )
    """,
    """
    CREATE TABLE requests (
        request_id uuid PRIMARY KEY,
        person_id uuid NOT NULL,
        role text NOT NULL,
        organisation_id uuid NOT NULL,
        made_by uuid NOT NULL,
        made_as text NOT NULL,
        reason text NOT NULL,
        submitted_at timestamptz NOT NULL,
        state text NOT NULL CHECK (state IN (
            'submitted', 'policy_check', 'awaiting_lead_provider', 'granted', 'declined', 'withdrawn'
        )),
        decided_by uuid[] NOT NULL DEFAULT '{}',
        lead_provider_id uuid,
        against_advice boolean NOT NULL DEFAULT false,
        outcome_reason text
    )
    """,
    # The handlers say these in words; the database keeps them true whatever the handlers do.
    """
    CREATE UNIQUE INDEX one_open_request ON requests (person_id, role, organisation_id)
    WHERE state IN ('submitted', 'policy_check', 'awaiting_lead_provider')
    """,
    "CREATE INDEX requests_of_organisation ON requests (organisation_id, role, submitted_at)",
    "CREATE INDEX requests_by_state ON requests (state, submitted_at)",
    """
    CREATE INDEX requests_of_lead_provider ON requests (lead_provider_id)
    WHERE state = 'awaiting_lead_provider'
    """,
    """
    CREATE TABLE agreements (
        agreement_id uuid PRIMARY KEY,
        delivery_partner_id uuid NOT NULL,
        lead_provider_id uuid NOT NULL,
        starts_on date NOT NULL,
        ends_on date NOT NULL,
        ended_early_on date,
        reference text NOT NULL,
        lapsed boolean NOT NULL DEFAULT false,
        UNIQUE (delivery_partner_id, lead_provider_id, reference, starts_on)
    )
    """,
    "CREATE INDEX agreements_that_run ON agreements (ends_on) WHERE NOT lapsed",
    """
    CREATE TABLE grants (
        grant_id uuid PRIMARY KEY,
        person_id uuid NOT NULL,
        role text NOT NULL,
        organisation_id uuid,
        request_id uuid,
        given_at timestamptz NOT NULL,
        review_on date,
        ended_at timestamptz,
        ended_reason text,
        ended_words text
    )
    """,
    """
    CREATE UNIQUE INDEX one_active_grant ON grants (person_id, role, organisation_id) NULLS NOT DISTINCT
    WHERE ended_at IS NULL
    """,
    "CREATE INDEX grants_of_person ON grants (person_id, given_at)",
    "CREATE INDEX active_grants ON grants (role, organisation_id) WHERE ended_at IS NULL",
    """
    CREATE TABLE audit (
        number bigint PRIMARY KEY,
        event_id uuid NOT NULL UNIQUE,
        at timestamptz NOT NULL,
        kind text NOT NULL,
        person_id uuid,
        about_id uuid,
        role text,
        organisation_id uuid,
        participant_ids uuid[] NOT NULL,
        data jsonb NOT NULL,
        previous_hash text NOT NULL,
        hash text NOT NULL
    )
    """,
    """
    CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
    """,
    "CREATE INDEX audit_by_person ON audit (person_id, number)",
    "CREATE INDEX audit_about_person ON audit (about_id, number) WHERE about_id IS NOT NULL",
    "CREATE INDEX audit_by_kind ON audit (kind, number)",
    "CREATE INDEX audit_of_participants ON audit USING gin (participant_ids)",
    # The end of the chain. Several projections add to it: whoever holds this row is the one who may.
    """
    CREATE TABLE audit_head (
        single boolean PRIMARY KEY DEFAULT true CHECK (single),
        number bigint NOT NULL,
        hash text NOT NULL
    )
    """,
    "INSERT INTO audit_head (number, hash) VALUES (0, '')",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
    grant("SELECT, INSERT, UPDATE", "organisations", "people", "requests", "agreements", "grants")
    grant("SELECT, INSERT", "audit")
    grant("SELECT, UPDATE", "audit_head")

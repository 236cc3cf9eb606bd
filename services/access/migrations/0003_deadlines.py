"""Requests that are sent back for information, reminded of, and that expire."""

from alembic import op

revision = "access_0003"
down_revision = "access_0002"
branch_labels = None
depends_on = None

OPEN = "'submitted', 'policy_check', 'awaiting_lead_provider', 'returned'"
STATEMENTS = (
    """
    ALTER TABLE requests
        ADD COLUMN outcome_kind text,
        ADD COLUMN waiting_since timestamptz,
        ADD COLUMN reminded_at timestamptz,
        ADD COLUMN returned_from text,
        ADD COLUMN informed_by uuid[] NOT NULL DEFAULT '{}',
        DROP CONSTRAINT requests_state_check,
        ADD CONSTRAINT requests_state_check CHECK (state IN (
            'submitted', 'policy_check', 'awaiting_lead_provider', 'returned',
            'granted', 'declined', 'withdrawn', 'expired'
        ))
    """,
    # As the stream says: the moment of the last event that moved the request.
    """
    UPDATE requests SET waiting_since = coalesce(
        (SELECT max((e.data ->> 'at')::timestamptz) FROM events e
         WHERE e.stream = 'request-' || requests.request_id AND e.type IN (
             'RequestSubmitted', 'TriagePassed', 'PolicyCheckPassed', 'RequestGranted', 'RequestDeclined',
             'RequestWithdrawn'
         )),
        submitted_at
    )
    """,
    # A service of before, still running, does not name the column.
    """
    ALTER TABLE requests
        ALTER COLUMN waiting_since SET NOT NULL,
        ALTER COLUMN waiting_since SET DEFAULT now()
    """,
    f"CREATE UNIQUE INDEX one_unanswered_request ON requests (person_id, role, organisation_id) "
    f"WHERE state IN ({OPEN})",
    "DROP INDEX one_open_request",
    f"CREATE INDEX requests_that_wait ON requests (waiting_since) WHERE state IN ({OPEN})",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)

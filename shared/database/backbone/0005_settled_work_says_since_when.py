"""Work that is over says since when: operators read it, and retention goes by it."""

from alembic import op

revision = "backbone_0005"
down_revision = "backbone_0004"
branch_labels = None
depends_on = None

STATEMENTS = (
    # First, since it keeps everybody else from the table: nobody adds what the next statement does not see.
    # Not to be validated later, which would take another step: what was there is mended then.
    "ALTER TABLE work ADD CONSTRAINT work_settled CHECK (state = 'due' OR settled_at IS NOT NULL) NOT VALID",
    "UPDATE work SET settled_at = clock_timestamp() WHERE state <> 'due' AND settled_at IS NULL",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)

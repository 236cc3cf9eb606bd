"""The name and address of a person as those who asked wrote them."""

from alembic import op

revision = "access_0002"
down_revision = "access_0001"
branch_labels = None
depends_on = None

STATEMENTS = (
    "ALTER TABLE requests ADD COLUMN name_given text, ADD COLUMN email_given text",
    # Who registered the person by asking wrote the name that is registered. Of other requests that were made
    # before, the name that was written is not known: users are shown the address.
    """
    UPDATE requests SET name_given = e.data ->> 'full_name', email_given = e.data ->> 'email'
    FROM events e
    WHERE e.stream = 'person-' || requests.person_id AND e.type = 'PersonRegistered'
        AND e.data ->> 'by' = requests.made_by::text
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)

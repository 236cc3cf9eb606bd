"""What makes lists quick at any size: counts that are kept, orders that are indexed, a search that is.

Why the search is a function: docs/decisions/0022.
"""

from alembic import op

from shared.database.grants import grant, service_role

revision = "participants_0002"
down_revision = "participants_0001"
branch_labels = None
depends_on = None

READER = "participants_reader"

ORGANISATION = "nullif(current_setting('check_data.organisation', true), '')::uuid"
KIND = "current_setting('check_data.organisation_kind', true)"

STATEMENTS = (
    # Filters are answered from the index alone, page after page.
    """
    CREATE INDEX participant_views_by_name
    ON participant_views (organisation_id, organisation_kind, sort_name, participant_id)
    INCLUDE (status, role, academic_year)
    """,
    "DROP INDEX participant_views_in_order",
    """
    CREATE INDEX participant_views_by_change
    ON participant_views (organisation_id, organisation_kind, status_since, participant_id)
    INCLUDE (status, role, academic_year)
    """,
    """
    CREATE TABLE participant_counts (
        organisation_id uuid NOT NULL,
        organisation_kind text NOT NULL,
        academic_year integer NOT NULL,
        role text NOT NULL,
        status text NOT NULL,
        participants bigint NOT NULL,
        PRIMARY KEY (organisation_id, organisation_kind, academic_year, role, status)
    )
    """,
    # Whoever writes rows, the counts follow in the same transaction. In a rebuild the names of the tables
    # stand for twins (shared/database/shadow.py), so these are named in full.
    """
    CREATE FUNCTION count_participants() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp AS $$
    BEGIN
        IF TG_OP IN ('INSERT', 'UPDATE') THEN
            INSERT INTO public.participant_counts AS counts
            SELECT organisation_id, organisation_kind, academic_year, role, status, count(*)
            FROM added GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5
            ON CONFLICT (organisation_id, organisation_kind, academic_year, role, status)
            DO UPDATE SET participants = counts.participants + excluded.participants;
        END IF;
        IF TG_OP IN ('DELETE', 'UPDATE') THEN
            UPDATE public.participant_counts AS counts
            SET participants = counts.participants - gone.participants
            FROM (
                SELECT organisation_id, organisation_kind, academic_year, role, status,
                    count(*) AS participants
                FROM removed GROUP BY 1, 2, 3, 4, 5
            ) AS gone
            WHERE (counts.organisation_id, counts.organisation_kind, counts.academic_year, counts.role,
                counts.status) = (gone.organisation_id, gone.organisation_kind, gone.academic_year,
                gone.role, gone.status);
        END IF;
        RETURN NULL;
    END $$
    """,
    """
    CREATE TRIGGER count_added AFTER INSERT ON participant_views
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION count_participants()
    """,
    """
    CREATE TRIGGER count_changed AFTER UPDATE ON participant_views
    REFERENCING NEW TABLE AS added OLD TABLE AS removed
    FOR EACH STATEMENT EXECUTE FUNCTION count_participants()
    """,
    """
    CREATE TRIGGER count_removed AFTER DELETE ON participant_views
    REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION count_participants()
    """,
    """
    INSERT INTO participant_counts
    SELECT organisation_id, organisation_kind, academic_year, role, status, count(*)
    FROM participant_views GROUP BY 1, 2, 3, 4, 5
    """,
    # Row-level security looks at each row before a condition of the query's may, unless its operator is
    # leakproof. LIKE is not, so under a policy the trigram index would be of no use. This function owns
    # the condition: the organisation is the transaction's, and no argument can be another.
    f"""
    CREATE FUNCTION participants_matching(patterns text[])
    RETURNS TABLE (participant_id uuid, sort_name text, status_since timestamptz, status text, role text,
        academic_year integer)
    LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 200 SET search_path = pg_catalog, pg_temp AS $$
    BEGIN
        RETURN QUERY EXECUTE
            'SELECT participant_id, sort_name, status_since, status, role, academic_year'
            ' FROM public.participant_views WHERE organisation_id = $1 AND organisation_kind = $2'
            || (SELECT coalesce(string_agg(format(' AND search_text LIKE %L', pattern), ''), '')
                FROM unnest(patterns) AS pattern)
        USING {ORGANISATION}, {KIND};
    END $$
    """,  # noqa: S608
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
    op.execute("REVOKE ALL ON FUNCTION participants_matching, count_participants FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION participants_matching TO {READER}")
    grant("SELECT", "participant_counts")
    grant("SELECT", "participant_counts", role=READER)
    op.execute("ALTER TABLE participant_counts ENABLE ROW LEVEL SECURITY")
    op.execute(
        f"CREATE POLICY one_organisation ON participant_counts FOR SELECT TO {READER}"
        f" USING (organisation_id = {ORGANISATION} AND organisation_kind = {KIND})"
    )
    op.execute(f"CREATE POLICY everything ON participant_counts FOR SELECT TO {service_role()} USING (true)")

"""Searches for what many are found by, or of two letters, that do not read a whole list.

Why so: docs/decisions/0042.
"""

from alembic import op

from shared.database.waiting import beside_others

revision = "participants_0005"
down_revision = "participants_0004"
branch_labels = None
depends_on = None

READER = "participants_reader"

ORGANISATION = "nullif(current_setting('check_data.organisation', true), '')::uuid"
KIND = "current_setting('check_data.organisation_kind', true)"

NOT_PLAIN = r"search_text ~ '[^ -~\n]'"
"""Holds something besides ASCII."""
SHORT = "octet_length(search_text) <= 2000"
"""Fits into an entry of a B-tree."""

INDEXES = {
    # What many are found by is counted and put in order from here, without a look at any row.
    "participant_views_words": f"""
        (organisation_id, organisation_kind, sort_name, participant_id)
        INCLUDE (status, role, academic_year, status_since, search_text) WHERE {SHORT}
    """,
    "participant_views_long": f"(organisation_id, organisation_kind) WHERE NOT ({SHORT})",
    "participant_views_not_plain": f"(organisation_id, organisation_kind) WHERE {NOT_PLAIN}",
}

STATEMENTS = (
    # Without it Postgres takes a third of all texts to be long.
    "CREATE STATISTICS participant_views_length ON (octet_length(search_text)) FROM participant_views",
    "ANALYZE participant_views",
    # Trigrams know no word of two letters; but each trigram that begins with the two is known. After them
    # stands a sign of ASCII, or nothing, or the text is one of those few that hold other signs.
    f"""
    CREATE FUNCTION matching_patterns(patterns text[], pairs boolean) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT SET search_path = pg_catalog, pg_temp AS $$
        SELECT coalesce(string_agg(
            format(' AND search_text LIKE %L', pattern)
            || CASE WHEN pairs AND pattern ~ '^%[a-z0-9][a-z0-9]%$' THEN format(
                ' AND (search_text ~ %L OR search_text LIKE %L OR {NOT_PLAIN.replace("'", "''")})',
                substr(pattern, 2, 2) || '[ -~\\n]', '%' || substr(pattern, 2, 2)
            ) ELSE '' END, ''), '')
        FROM unnest(patterns) AS pattern
    $$
    """,  # noqa: S608
    f"""
    CREATE OR REPLACE FUNCTION participants_matching(patterns text[])
    RETURNS TABLE (participant_id uuid, sort_name text, status_since timestamptz, status text, role text,
        academic_year integer)
    LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 200 SET search_path = pg_catalog, pg_temp AS $$
    BEGIN
        RETURN QUERY EXECUTE
            'SELECT participant_id, sort_name, status_since, status, role, academic_year'
            ' FROM public.participant_views WHERE organisation_id = $1 AND organisation_kind = $2'
            || public.matching_patterns(patterns, true)
        USING {ORGANISATION}, {KIND};
    END $$
    """,  # noqa: S608
    # A page of what is found, and the counts by status, each in the way that suits how many are found: few
    # are looked at once, for both; many are counted in the index, and the page ends where it is full.
    f"""
    CREATE FUNCTION participants_found(
        patterns text[], roles text[], years integer[], statuses text[], since timestamptz, told boolean,
        sort text, size integer, skip bigint, OUT by_status text, OUT page uuid[])
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    DECLARE
        organisation uuid := {ORGANISATION};
        kind text := {KIND};
        in_order text := CASE sort
            WHEN 'name' THEN 'sort_name, participant_id'
            WHEN '-name' THEN 'sort_name DESC, participant_id DESC'
            WHEN 'changed' THEN 'status_since, participant_id'
            WHEN '-changed' THEN 'status_since DESC, participant_id DESC' END;
        filtered text := 'SELECT participant_id, sort_name, status_since, status'
            ' FROM public.participant_views WHERE organisation_id = $1 AND organisation_kind = $2'
            ' AND ($3 IS NULL OR role = ANY ($3)) AND ($4 IS NULL OR academic_year = ANY ($4))'
            ' AND ($5 IS NULL OR status_since >= $5 OR ($6 AND participant_id IN ('
            '     SELECT participant_id FROM public.status_history'
            '     WHERE organisation_id = $1 AND organisation_kind = $2 AND received_at > $5)))';
        matching text := filtered || public.matching_patterns(patterns, false);
        many text := matching || ' AND {SHORT} UNION ALL ' || matching || ' AND NOT ({SHORT})';
        counted text := '(SELECT CAST(json_object_agg(status, n) AS text)'
            ' FROM (SELECT status, count(*) AS n FROM found GROUP BY 1) AS s)';
        shown text := 'ARRAY(SELECT participant_id FROM found WHERE $7 IS NULL OR status = ANY ($7)'
            ' ORDER BY ' || in_order || ' LIMIT $8 OFFSET $9)';
        listed bigint := (
            SELECT coalesce(sum(participants), 0) FROM public.participant_counts AS c
            WHERE c.organisation_id = organisation AND c.organisation_kind = kind);
        few bigint := greatest(1000, listed / 50);
        seen bigint;
    BEGIN
        EXECUTE 'WITH found AS MATERIALIZED (' || filtered
            || public.matching_patterns(patterns, pairs => listed > 5000) || ' LIMIT $10 + 1)'
            ' SELECT (SELECT count(*) FROM found), ' || counted || ', ' || shown
        INTO seen, by_status, page
        USING organisation, kind, roles, years, since, told, statuses, size, skip, few;
        IF seen > few THEN
            EXECUTE 'WITH found AS (' || many || ') SELECT ' || counted
            INTO by_status USING organisation, kind, roles, years, since, told;
            EXECUTE 'WITH found AS (' || many || ') SELECT ' || shown
            INTO page USING organisation, kind, roles, years, since, told, statuses, size, skip;
        END IF;
    END $$
    """,  # noqa: S608
)


def upgrade() -> None:
    with beside_others():
        for name, definition in INDEXES.items():
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")  # what a try that was cut off left
            op.execute(f"CREATE INDEX CONCURRENTLY {name} ON participant_views {definition}")
    for statement in STATEMENTS:
        op.execute(statement)
    op.execute("REVOKE ALL ON FUNCTION matching_patterns, participants_found FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION participants_found TO {READER}")

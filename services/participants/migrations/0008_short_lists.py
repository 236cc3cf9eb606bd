"""Searches in short lists that cost the same however many rows others have.

The trigram index knows a word's rows of everybody, so looking there costs more the more there are. A short
list is read whole from its own part of `participant_views_words`, which is as quick: docs/decisions/0042.
"""

from alembic import op

revision = "participants_0008"
down_revision = "participants_0007"
branch_labels = None
depends_on = None

ORGANISATION = "nullif(current_setting('check_data.organisation', true), '')::uuid"
KIND = "current_setting('check_data.organisation_kind', true)"

SHORT = "octet_length(search_text) <= 2000"
"""Fits into an entry of a B-tree."""

SHORT_LIST = 2500
"""Participants of an organisation. Read whole they take a millisecond, as much as by the trigram index."""

# As in migration 0005, but for `listed <= SHORT_LIST`.
FOUND = f"""
    CREATE OR REPLACE FUNCTION participants_found(
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
        from_words text := matching || ' AND {SHORT} UNION ALL ' || matching || ' AND NOT ({SHORT})';
        counted text := '(SELECT CAST(json_object_agg(status, n) AS text)'
            ' FROM (SELECT status, count(*) AS n FROM found GROUP BY 1) AS s)';
        shown text := 'ARRAY(SELECT participant_id FROM found WHERE $7 IS NULL OR status = ANY ($7)'
            ' ORDER BY ' || in_order || ' LIMIT $8 OFFSET $9)';
        listed bigint := (
            SELECT coalesce(sum(participants), 0) FROM public.participant_counts AS c
            WHERE c.organisation_id = organisation AND c.organisation_kind = kind);
        few bigint := greatest({SHORT_LIST}, listed / 50);
        looked_up text := CASE WHEN listed <= {SHORT_LIST} THEN from_words
            ELSE filtered || public.matching_patterns(patterns, pairs => listed > 5000) END;
        seen bigint;
    BEGIN
        EXECUTE 'WITH found AS MATERIALIZED (' || looked_up || ' LIMIT $10 + 1)'
            ' SELECT (SELECT count(*) FROM found), ' || counted || ', ' || shown
        INTO seen, by_status, page
        USING organisation, kind, roles, years, since, told, statuses, size, skip, few;
        IF seen > few THEN
            EXECUTE 'WITH found AS (' || from_words || ') SELECT ' || counted
            INTO by_status USING organisation, kind, roles, years, since, told;
            EXECUTE 'WITH found AS (' || from_words || ') SELECT ' || shown
            INTO page USING organisation, kind, roles, years, since, told, statuses, size, skip;
        END IF;
    END $$
"""  # noqa: S608


def upgrade() -> None:
    op.execute(FOUND)

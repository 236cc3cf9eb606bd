"""Searches that find many, in a third of the time.

Many are counted by all processors from an index in the order of the counts, the page ends where it is full,
and a word that many are found by is told from the texts that ANALYZE has kept: docs/decisions/0042.
"""

from alembic import op

from shared.database.waiting import beside_others

revision = "participants_0010"
down_revision = "participants_0009"
branch_labels = None
depends_on = None

ORGANISATION = "nullif(current_setting('check_data.organisation', true), '')::uuid"
KIND = "current_setting('check_data.organisation_kind', true)"

SHORT = "octet_length(search_text) <= 2000"
"""Fits into an entry of a B-tree."""

SHORT_LIST = 2500
"""Participants of an organisation. Read whole they take a millisecond, as much as by the trigram index."""

# In place of participant_views_words, which had the same columns in the order of names: neighbours in this
# one are of one status, so that they are counted without a look at others.
TEXTS = f"""
    CREATE INDEX CONCURRENTLY participant_views_texts ON participant_views
        (organisation_id, organisation_kind, status, academic_year, role)
        INCLUDE (search_text, sort_name, participant_id, status_since) WHERE {SHORT}
"""

# As in migration 0008, but for `many` and what is done then.
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
        from_texts text := matching || ' AND {SHORT} UNION ALL ' || matching || ' AND NOT ({SHORT})';
        counted text := '(SELECT CAST(json_object_agg(status, n) AS text)'
            ' FROM (SELECT status, count(*) AS n FROM found GROUP BY 1) AS s)';
        chosen text := '($7 IS NULL OR status = ANY ($7))';
        ordered text := ' ORDER BY ' || in_order;
        shown text := 'ARRAY(SELECT participant_id FROM found WHERE ' || chosen || ordered
            || ' LIMIT $8 OFFSET $9)';
        short_chosen text := matching || ' AND {SHORT} AND ' || chosen;
        long_chosen text := matching || ' AND NOT ({SHORT}) AND ' || chosen;
        first text := ordered || ' LIMIT $8 + $9';
        listed bigint := (
            SELECT coalesce(sum(participants), 0) FROM public.participant_counts AS c
            WHERE c.organisation_id = organisation AND c.organisation_kind = kind);
        few bigint := greatest({SHORT_LIST}, listed / 50);
        many boolean := false;
        seen bigint;
        chosen_seen bigint;
        setup_cost text := current_setting('parallel_setup_cost');
    BEGIN
        IF listed > 2 * {SHORT_LIST} THEN
            many := listed * (
                SELECT avg(CAST(bound LIKE ALL (patterns) AS int)) FROM pg_stats,
                    unnest(CAST(CAST(histogram_bounds AS text) AS text[])) AS bound
                WHERE schemaname = 'public' AND tablename = 'participant_views' AND attname = 'search_text'
            ) > greatest(few, listed / 20);
        END IF;
        IF many IS NOT TRUE THEN
            EXECUTE 'WITH found AS MATERIALIZED (' || CASE WHEN listed <= {SHORT_LIST} THEN from_texts
                    ELSE filtered || public.matching_patterns(patterns, pairs => listed > 5000) END
                || ' LIMIT $10 + 1) SELECT (SELECT count(*) FROM found), ' || counted || ', ' || shown
            INTO seen, by_status, page
            USING organisation, kind, roles, years, since, told, statuses, size, skip, few;
            many := seen > few;
        END IF;
        IF many THEN
            PERFORM set_config('parallel_setup_cost', '0', true);
            EXECUTE 'WITH found AS (' || from_texts || ') SELECT ' || counted
            INTO by_status USING organisation, kind, roles, years, since, told;
            PERFORM set_config('parallel_setup_cost', setup_cost, true);
            SELECT coalesce(sum(CAST(value AS bigint)), 0) FROM json_each_text(CAST(by_status AS json))
            WHERE statuses IS NULL OR key = ANY (statuses) INTO chosen_seen;
            -- How many there are is known by now: a walk in the page's order ends soon only among many.
            EXECUTE 'WITH found AS ' || CASE WHEN chosen_seen > few
                    THEN '((' || short_chosen || first || ') UNION ALL (' || long_chosen || first || '))'
                    ELSE 'MATERIALIZED (' || short_chosen || ' UNION ALL ' || long_chosen || ')' END
                || ' SELECT ' || shown
            INTO page USING organisation, kind, roles, years, since, told, statuses, size, skip;
        END IF;
    END $$
"""  # noqa: S608


def upgrade() -> None:
    with beside_others():
        op.execute(
            "DROP INDEX CONCURRENTLY IF EXISTS participant_views_texts"
        )  # what a try that was cut off left
        op.execute(TEXTS)
    op.execute(FOUND)
    with beside_others():
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS participant_views_words")

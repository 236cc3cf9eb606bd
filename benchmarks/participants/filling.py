"""A read model of half a million made-up participants, written by Postgres itself in seconds.

Delivery partners of very different sizes, the largest with 60,000; one appropriate body that is shown
everybody. The rows have the shape that derivation gives them, in no order that an index would like.
"""

from dataclasses import dataclass
from uuid import UUID

import asyncpg

LARGEST, MIDDLE = 60_000, 1_000
"""Participants of the first delivery partner, and of the second, which is as large whatever others have."""

FIRST_NAMES = (
    "Aaliyah Adam Aisha Amelia Anna Ava Ben Bilal Chloe Daniel David Ella Emily Emma Ethan Fatima Finn Freya"
    " George Grace Hannah Harry Henry Isaac Isla Jack James Jane John Kate Leo Lily Lucy Mary Max Mia Noah"
    " Olivia Oscar Poppy Priya Ravi Rosie Ruby Sam Sarah Sophie Thomas Zara"
)
LAST_NAMES = (
    "Adams Ahmed Ali Allen Bailey Baker Begum Bell Bennett Brown Campbell Carter Chapman Clark Collins Cook"
    " Cooper Cox Davies Davis Edwards Ellis Evans Foster Fox Gill Gray Green Griffiths Hall Harris Harrison"
    " Hill Hughes Hussain Jackson James Johnson Jones Kaur Kelly Khan King Knight Lee Lewis Lloyd Marshall"
    " Martin Mason Miller Mills Mitchell Moore Morgan Morris Murphy Murray Parker Patel Phillips Powell Price"
    " Richards Richardson Roberts Robinson Rogers Russell Scott Shaw Simpson Singh Smith Stevens Taylor"
    " Thomas Thompson Turner Walker Ward Watson Webb White Wilkinson Williams Wilson Wood Wright Young Zhang"
)
PLACES = (
    "Ash Beech Birch Bourne Brook Cedar Chester Church Dale East Elm Fair Field Green Hazel Heath High Hill"
    " Holly King Lake Lime Long Mead Mill Moor New North Oak Orchard Park Pine Queen River Rose South Spring"
    " Stone Wall West Willow Wood"
)
STATUSES = (
    "training_or_eligible_for_training registered_for_fip_training 55"
    "|contacted_for_information request_for_details_delivered 15"
    "|induction_completed completed_training 10"
    "|dfe_checking_eligibility checks_not_complete 6"
    "|participant_deferred deferred_training 5"
    "|no_longer_being_trained withdrawn_training 5"
    "|checking_qts not_qualified 3"
    "|not_eligible_for_funded_training not_allowed 1"
)

INDEXES = """
    SELECT indexname, indexdef FROM pg_indexes
    WHERE tablename = 'participant_views' AND indexname <> 'participant_views_pkey'
"""

PEOPLE = """
CREATE TEMPORARY TABLE people AS
WITH drawn AS (
    SELECT n, hashint8extended(n, 1) AS a, hashint8extended(n, 2) AS b, hashint8extended(n, 3) AS c,
        hashint8extended(n, 4) AS d, ($5::int[])[1 + abs(hashint8extended(n, 5) % 100)] AS status
    FROM generate_series(1, $1::int) AS n
), named AS (
    SELECT *,
        ($2::text[])[1 + abs(a % cardinality($2::text[]))] AS first,
        ($3::text[])[1 + abs(b % cardinality($3::text[]))]
            || CASE WHEN abs(d % 4) = 0 THEN '-' || ($3::text[])[1 + abs(a / 99 % cardinality($3::text[]))]
            ELSE '' END AS last,
        ($4::text[])[1 + abs(c % cardinality($4::text[]))]
            || lower(($4::text[])[1 + abs(c / 64 % cardinality($4::text[]))])
            || ' ' || (ARRAY['Primary', 'High', 'Academy', 'Community'])[1 + abs(c / 4096 % 4)]
            || ' School' AS school
    FROM drawn
)
SELECT n, uuid(lpad(to_hex(abs(a % 65536)), 8, '0') || '-0000-4000-8000-' || lpad(to_hex(n), 12, '0')) AS id,
    first || ' ' || last AS full_name,
    lower(first) || '.' || n || '@school' || abs(c % 9000) || '.example.org' AS email,
    CASE WHEN abs(d % 8) > 0 THEN lpad((n + 1000000)::text, 7, '0') END AS trn,
    CASE WHEN abs(b / 99 % 7) = 0 THEN 'mentor' ELSE 'ect' END AS role,
    'Provider ' || (ARRAY['Alder', 'Brightwater', 'Crown', 'Delta', 'Ember', 'Fern'])[1 + abs(b / 1001 % 6)]
        AS lead_provider,
    school, (100000 + abs(c % 20000))::text AS urn, 2021 + abs(d / 16 % 5)::int AS academic_year,
    status, timestamptz '2025-01-01' + abs(c / 77 % 500000) * interval '1 minute' AS since
FROM named
"""

ROWS = """
INSERT INTO participant_views
SELECT id, organisation_id, organisation_kind, full_name, lower(full_name), email, trn, role, lead_provider,
    school, urn, academic_year, 'active', split_part(($1::text[])[status], ' ', 1),
    split_part(($1::text[])[status], ' ', 2), since,
    CASE WHEN status = 3 THEN since::date END, NULL,
    lower(concat_ws(E'\\n', full_name, school, trn, email, lead_provider, urn)), NULL
FROM people JOIN memberships USING (n)
ORDER BY hashint8extended(n, 9)
"""

HISTORIES = """
INSERT INTO status_history
SELECT id, organisation_id, organisation_kind, number,
    CASE number WHEN 0 THEN since - interval '90 days' ELSE since END,
    CASE number WHEN 0 THEN 'contacted_for_information' ELSE split_part(($1::text[])[status], ' ', 1) END,
    CASE number WHEN 0 THEN 'request_for_details_delivered' ELSE split_part(($1::text[])[status], ' ', 2) END,
    since
FROM people JOIN memberships USING (n), generate_series(0, 1) AS number
ORDER BY hashint8extended(n, 9)
"""


@dataclass(frozen=True, slots=True)
class Filled:
    """participants: all in all, each with one delivery partner and with `everybody`, an appropriate body."""

    participants: int
    largest: UUID
    middle: UUID
    everybody: UUID | None


def partner(number: int) -> UUID:
    return UUID(int=(0xD << 120) + number, version=4)


async def fill(owner_url: str, participants: int, partners: int, *, everybody: bool) -> Filled:
    """Fill an empty, migrated database. partners: two of fixed sizes, the others share what is left."""
    body = UUID(int=0xB << 120, version=4) if everybody else None
    statuses = STATUSES.split("|")
    shares = [number for number, one in enumerate(statuses, 1) for _ in range(int(one.split()[2]))]
    connection = await asyncpg.connect(owner_url)
    try:
        indexes = await connection.fetch(INDEXES)
        for index in indexes:
            await connection.execute(f"DROP INDEX {index['indexname']}")
        await connection.execute(
            "CREATE TEMPORARY TABLE memberships (n int, organisation_id uuid, organisation_kind text)"
        )
        await connection.copy_records_to_table(
            "memberships", records=_memberships(participants, partners, body)
        )
        await connection.execute(
            PEOPLE, participants, *map(str.split, (FIRST_NAMES, LAST_NAMES, PLACES)), shares
        )
        await connection.execute(ROWS, statuses)
        await connection.execute(HISTORIES, statuses)
        for index in indexes:
            await connection.execute(index["indexdef"])
        await connection.execute("VACUUM (ANALYZE) participant_views, status_history")
    finally:
        await connection.close()
    return Filled(participants, partner(0), partner(1), body)


def _memberships(participants: int, partners: int, body: UUID | None) -> list[tuple[int, UUID, str]]:
    largest = min(LARGEST, participants // 2)
    made = []
    for n in range(1, participants + 1):
        if n <= largest:
            number = 0
        elif n <= largest + MIDDLE:
            number = 1
        else:
            number = 2 + n % (partners - 2)
        made.append((n, partner(number), "delivery_partner"))
        if body:
            made.append((n, body, "appropriate_body"))
    return made

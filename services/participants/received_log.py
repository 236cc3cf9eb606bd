"""The log of received events: what is new goes in, and whom it concerns is marked for derivation."""

from collections.abc import Collection, Sequence
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.participants.incoming import Bearing, Incoming
from services.participants.locks import keeping

INSERT = text("""
    INSERT INTO received_events (event_id, subject, type, sequence, time, data)
    SELECT event_id, subject, type, sequence, time, data
    FROM json_populate_recordset(NULL::received_events, CAST(:rows AS json))
    ON CONFLICT (event_id) DO NOTHING
    RETURNING event_id
""")

REFER = text("""
    INSERT INTO subject_references (referred_id, referrer_id, by_participant)
    SELECT * FROM unnest(CAST(:referred AS uuid[]), CAST(:referrers AS uuid[]), CAST(:by AS boolean[]))
    ON CONFLICT DO NOTHING
""")

MARK = text("""
    INSERT INTO derivations_due AS due (participant_id, generation)
    SELECT participant_id, nextval('derivation_generations')
    FROM (
        WITH RECURSIVE concerned (id, is_participant) AS (
            SELECT unnest(CAST(:others AS uuid[])), false
            UNION
            SELECT r.referrer_id, r.by_participant
            FROM subject_references r JOIN concerned c ON r.referred_id = c.id AND NOT c.is_participant
        )
        SELECT id FROM concerned WHERE is_participant
        UNION
        SELECT unnest(CAST(:participants AS uuid[]))
        ORDER BY 1
    ) AS marked (participant_id)
    ON CONFLICT (participant_id) DO UPDATE SET generation = excluded.generation, failure = NULL
""")
"""A school or partnership concerns the participants that refer to it, a lead provider those that refer to a
partnership that refers to it."""


async def keep(connection: AsyncConnection, incoming: Sequence[Incoming]) -> frozenset[str]:
    """Write what is new to the log, and mark whom it concerns. Returns the IDs that were new.

    Takes the lock of those who keep until the transaction ends: two at once, one with a record and one with
    its partnership, would each miss the other.
    """
    await keeping(connection)
    if not incoming:
        return frozenset()
    rows = b"[" + b",".join(one.row for one in incoming) + b"]"
    new = frozenset((await connection.scalars(INSERT, {"rows": rows.decode()})).all())
    await spread(connection, [i.bearing for i in incoming if i.event_id in new])
    return new


async def spread(connection: AsyncConnection, bearings: Sequence[Bearing]) -> None:
    """Note whom these events refer to, and mark whom they concern. Doing it again does no harm."""
    await _refer(connection, bearings)
    participants = {bearing.subject for bearing in bearings if bearing.by_participant}
    await mark(connection, participants, {bearing.subject for bearing in bearings} - participants)


async def mark(
    connection: AsyncConnection, participants: Collection[UUID], others: Collection[UUID] = ()
) -> None:
    """Mark participants, and those whom a change of the other subjects concerns."""
    if participants or others:
        await connection.execute(MARK, {"participants": list(participants), "others": list(others)})


async def _refer(connection: AsyncConnection, bearings: Sequence[Bearing]) -> None:
    references = {
        (referred, bearing.subject, bearing.by_participant)
        for bearing in bearings
        for referred in bearing.refers_to
    }
    if references:
        referred, referrers, by = zip(*references, strict=True)
        await connection.execute(REFER, {"referred": referred, "referrers": referrers, "by": by})


class Bears(NamedTuple):
    """The log of all that bears on some participants, each a JSON array of rows in no particular order.

    own: their own. around: of the partnerships and schools that their records refer to. above: of the lead
    providers that those partnerships refer to. Unread: that may be done in another process.
    """

    own: str
    around: str
    above: str


async def log_that_bears_on(connection: AsyncConnection, participants: Collection[UUID]) -> Bears:
    statements = (_OWN, _AROUND, _ABOVE)
    parameters = {"participants": list(participants)}
    own, around, above = [await connection.scalar(statement, parameters) for statement in statements]
    return Bears(own, around, above)


_LOG_OF = """
    SELECT coalesce(json_agg(row), '[]')::text FROM (
        SELECT event_id, subject, type, sequence, time, received_at, data
        FROM received_events WHERE subject = ANY ({subjects})
    ) AS row
"""
_REFERRED_BY = "ARRAY(SELECT referred_id FROM subject_references WHERE referrer_id = ANY ({subjects}))"
_PARTICIPANTS = "CAST(:participants AS uuid[])"
_OWN = text(_LOG_OF.format(subjects=_PARTICIPANTS))
_AROUND_THEM = _REFERRED_BY.format(subjects=_PARTICIPANTS)
_AROUND = text(_LOG_OF.format(subjects=_AROUND_THEM))
_ABOVE = text(_LOG_OF.format(subjects=_REFERRED_BY.format(subjects=_AROUND_THEM)))

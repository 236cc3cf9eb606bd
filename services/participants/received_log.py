"""The log of received events: what is new goes in, and whom it concerns is marked for derivation."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import ARRAY, Row, Uuid, any_, bindparam, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.participants.domain.received import (
    Event,
    EventT,
    OrganisationEvent,
    PartnershipEvent,
    Received,
    SchoolEvent,
)
from services.participants.domain.references import refers_to
from services.participants.incoming import Incoming, from_log
from services.participants.locks import keeping
from services.participants.tables import received_events
from shared.contracts.manage_ects import (
    AppropriateBodyRegistered,
    DeliveryPartnerRegistered,
    LeadProviderRegistered,
    OrganisationRenamed,
    ParticipantEvent,
    SchoolChanged,
    SchoolOpened,
)

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
    rows = orjson.dumps(
        [
            {
                "event_id": i.event_id,
                "subject": i.subject,
                "type": i.type,
                "sequence": i.sequence,
                "time": i.time,
                "data": orjson.Fragment(i.data),
            }
            for i in incoming
        ]
    )
    new = frozenset((await connection.scalars(INSERT, {"rows": rows.decode()})).all())
    await spread(connection, [(i.subject, i.event) for i in incoming if i.event_id in new])
    return new


async def spread(connection: AsyncConnection, kept: Sequence[tuple[UUID, Event]]) -> None:
    """Note whom these events refer to, and mark whom they concern. Doing it again does no harm."""
    await _refer(connection, kept)
    by_participant = {subject for subject, event in kept if isinstance(event, ParticipantEvent)}
    await mark(connection, by_participant, {subject for subject, _ in kept} - by_participant)


async def mark(
    connection: AsyncConnection, participants: Collection[UUID], others: Collection[UUID] = ()
) -> None:
    """Mark participants, and those whom a change of the other subjects concerns."""
    if participants or others:
        await connection.execute(MARK, {"participants": list(participants), "others": list(others)})


async def _refer(connection: AsyncConnection, kept: Sequence[tuple[UUID, Event]]) -> None:
    references = {
        (referred, subject, isinstance(event, ParticipantEvent))
        for subject, event in kept
        for referred in refers_to(event)
    }
    if references:
        referred, referrers, by = zip(*references, strict=True)
        await connection.execute(REFER, {"referred": referred, "referrers": referrers, "by": by})


@dataclass(frozen=True, slots=True)
class Known:
    """All events that the log holds of some subjects, by subject, in no particular order."""

    participants: dict[UUID, list[Received[ParticipantEvent]]] = field(default_factory=dict)
    partnerships: dict[UUID, list[Received[PartnershipEvent]]] = field(default_factory=dict)
    schools: dict[UUID, list[Received[SchoolEvent]]] = field(default_factory=dict)
    organisations: dict[UUID, list[Received[OrganisationEvent]]] = field(default_factory=dict)


async def known_of(connection: AsyncConnection, subjects: Collection[UUID]) -> Known:
    """Read everything about these subjects."""
    known = Known()
    if not subjects:
        return known
    for row in await connection.execute(_OF_SUBJECTS, {"subjects": list(subjects)}):
        _put(known, row)
    return known


async def referred_by(connection: AsyncConnection, referrers: Iterable[Received[Event]]) -> Known:
    """Read everything about the subjects that these events refer to."""
    return await known_of(connection, {id_ for received in referrers for id_ in refers_to(received.event)})


_OF_SUBJECTS = select(received_events).where(
    received_events.c.subject == any_(bindparam("subjects", type_=ARRAY(Uuid)))
)


def _put(known: Known, row: Row[Any]) -> None:
    def received(event: EventT) -> Received[EventT]:
        return Received(row.event_id, row.time, row.sequence, row.received_at, event)

    event = from_log(row.type, row.data)
    match event:
        case ParticipantEvent():
            known.participants.setdefault(row.subject, []).append(received(event))
        case SchoolOpened() | SchoolChanged():
            known.schools.setdefault(row.subject, []).append(received(event))
        case (
            LeadProviderRegistered()
            | DeliveryPartnerRegistered()
            | AppropriateBodyRegistered()
            | OrganisationRenamed()
        ):
            known.organisations.setdefault(row.subject, []).append(received(event))
        case _:
            known.partnerships.setdefault(row.subject, []).append(received(event))

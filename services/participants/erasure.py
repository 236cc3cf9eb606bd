"""A participant whom Manage ECTs has removed is taken out of the log, too: what is personal is written over.

The log is append-only for the service; this is the one way around it, for the owner of its tables, on record.
Events stay, without what is personal: mentors' statuses follow from who named them, and must not change.
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from services.participants.locks import keeping
from shared.contracts.envelope import PublishedEvent
from shared.contracts.manage_ects import CATALOGUE, ParticipantRemoved
from shared.parked_actions import Reason, record_action

INSTEAD = {"full_name": "(erased)", "email": "erased@example.invalid"}
"""For what a contract wants to be there; all else that is personal may be missing."""

EVENTS = text("SELECT position, type, data FROM received_events WHERE subject = :id ORDER BY position")
SHOWN = text("SELECT count(*) FROM participant_views WHERE participant_id = :id")
WRITE = text("UPDATE received_events SET data = :data WHERE position = :position").bindparams(
    bindparam("data", type_=JSONB)
)
PARKED = text("""
    UPDATE parked_events SET event = '{}', settled_at = coalesce(settled_at, clock_timestamp()),
        settled_how = coalesce(settled_how, 'discarded')
    WHERE subject = :subject AND event::text <> '{}' RETURNING id
""")
RECORD = text("""
    INSERT INTO erasures (participant_id, by, why, events, parked_events)
    VALUES (:id, :by, :why, :events, :parked)
""")
CONTRACTS: dict[str, type[PublishedEvent]] = {contract.type: contract for contract in CATALOGUE}


class NotErased(Exception):
    """Nothing was changed; the sentence says why."""


@dataclass(frozen=True, slots=True)
class Erased:
    """How many events of the log, and how many parked ones, were written over."""

    events: int
    parked: int


async def erase(connection: AsyncConnection, participant_id: UUID, reason: Reason) -> Erased:
    """Within the owner's transaction. Again, it writes over what came since. Raises NotErased."""
    await keeping(connection)  # nothing is added meanwhile
    rows = (await connection.execute(EVENTS, {"id": participant_id})).all()
    if not rows:
        raise NotErased("nobody with this ID is in the log")
    if not any(row.type == ParticipantRemoved.type for row in rows):
        raise NotErased("Manage ECTs has not removed them: it has to, or it would tell of them again")
    if await connection.scalar(SHOWN, {"id": participant_id}):
        raise NotErased("they are still shown: their removal waits to be worked out; try again in a moment")
    new = [
        {"position": row.position, "data": data}
        for row in rows
        if (data := without_person(row.type, row.data)) != row.data
    ]
    if new:
        await connection.execute(text("ALTER TABLE received_events DISABLE TRIGGER append_only"))
        await connection.execute(WRITE, new)
        await connection.execute(text("ALTER TABLE received_events ENABLE TRIGGER append_only"))
    parked = (await connection.scalars(PARKED, {"subject": str(participant_id)})).all()
    for number in parked:
        await record_action(connection, "event", number, "discarded", reason)
    await connection.execute(
        RECORD,
        {
            "id": participant_id,
            "by": reason.by,
            "why": reason.why,
            "events": len(new),
            "parked": len(parked),
        },
    )
    return Erased(len(new), len(parked))


def without_person(type_: str, data: dict[str, Any]) -> dict[str, Any]:
    """The content of an event of the log without what is personal, and still as its contract wants it.

    What no contract knows goes, too: nobody can say what it holds.
    """
    contract = CONTRACTS[type_]
    described = contract.model_json_schema()["properties"]
    kept = {name: value for name, value in data.items() if name in described}
    for name, schema in described.items():
        if kept.get(name) is not None and "personalData" in str(schema):
            kept[name] = INSTEAD.get(name)
    contract.model_validate(kept)
    return kept

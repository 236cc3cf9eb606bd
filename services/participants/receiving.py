"""Events that come otherwise than by the bus: in batches over HTTP, or from a file. Each gets an answer.

What cannot be taken is parked with its reason, as on the bus, and so is what follows about the same subject.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from pydantic import JsonValue, ValidationError
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.participants.consumers import ManageEcts
from services.participants.incoming import PREFIX, Incoming, Refused, read
from services.participants.locks import keeping
from services.participants.received_log import keep
from services.participants.tables import received_events
from shared.bus.parking import FOLLOWS, PARKED, parked_subjects, reason_of
from shared.bus.tables import parked_events
from shared.contracts.envelope import CloudEvent, EventRefused
from shared.database.text import storable

UNREADABLE = "unreadable"
LONGEST_PARKED = 20_000
"""Characters kept of what is not even an event."""


class Outcome(StrEnum):
    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    PARKED = "parked"


@dataclass(frozen=True, slots=True)
class Answer:
    """id: as it came, if it came with one. reason: why it was parked."""

    id: str | None
    outcome: Outcome
    reason: str | None = None


async def receive(engine: AsyncEngine, batch: Sequence[JsonValue]) -> list[Answer]:
    """Take a batch in one transaction. Returns an answer for each, in order. Raises nothing of their content.

    batch: CloudEvents as JSON, or whatever somebody sent in their place.
    """
    async with engine.begin() as connection:
        await keeping(connection)
        checked = [_check(raw) for raw in batch]
        waiting = set(await _waiting(connection, batch))
        there = await _there_already(connection, checked)
        ready: list[Incoming] = []
        answers: list[Answer] = []
        for raw, incoming in zip(batch, checked, strict=True):
            subject = _text(raw, "subject")
            if isinstance(incoming, Incoming) and incoming.event_id in there:
                answers.append(Answer(incoming.event_id, Outcome.DUPLICATE))
            elif isinstance(incoming, Incoming) and subject not in waiting:
                there.add(incoming.event_id)
                ready.append(incoming)
                answers.append(Answer(incoming.event_id, Outcome.ACCEPTED))
            else:
                reason = FOLLOWS if isinstance(incoming, Incoming) else incoming
                if subject is not None:
                    waiting.add(subject)
                await _park(connection, raw, reason)
                answers.append(Answer(_text(raw, "id"), Outcome.PARKED, reason))
        await keep(connection, ready)
        return answers


def _check(raw: JsonValue) -> Incoming | str:
    """Return the event, or why it cannot be taken."""
    if not isinstance(raw, dict):
        return "is not a JSON object"
    try:
        envelope = CloudEvent.model_validate(raw)
        if not envelope.type.startswith(PREFIX):
            raise Refused("type: only events of Manage ECTs are taken")
        return read(envelope)
    except (ValidationError, EventRefused) as error:
        return reason_of(error)


async def _waiting(connection: AsyncConnection, batch: Sequence[JsonValue]) -> frozenset[str]:
    subjects = {subject for raw in batch if (subject := _text(raw, "subject")) is not None}
    return await parked_subjects(connection, ManageEcts.name, subjects)


async def _there_already(connection: AsyncConnection, checked: Sequence[Incoming | str]) -> set[str]:
    ids = [one.event_id for one in checked if isinstance(one, Incoming)]
    query = select(received_events.c.event_id).where(received_events.c.event_id.in_(ids))
    return set((await connection.scalars(query)).all())


async def _park(connection: AsyncConnection, raw: JsonValue, reason: str) -> None:
    """Keep aside what may be no event at all. The same thing again changes nothing.

    position: what came by the bus has its sequence there; the others have a negative number made of the
    content, since nothing else of it can be trusted.
    """
    content = json.dumps(raw, sort_keys=True)
    digest = hashlib.sha256(content.encode()).digest()
    number = int.from_bytes(digest[:8]) >> 1
    whole = isinstance(raw, dict) and len(content) <= LONGEST_PARKED
    await connection.execute(
        insert(parked_events)
        .values(
            projection=ManageEcts.name,
            subject=_text(raw, "subject") or f"{UNREADABLE}:{digest.hex()[:16]}",
            position=-1 - number,
            type=_text(raw, "type") or UNREADABLE,
            event=raw if whole else {UNREADABLE: storable(content[:LONGEST_PARKED])},
            reason=reason,
        )
        .on_conflict_do_nothing()
    )
    PARKED.labels(ManageEcts.name).inc()


def _text(raw: JsonValue, name: str) -> str | None:
    value = raw.get(name) if isinstance(raw, dict) else None
    return storable(value[:200]) if isinstance(value, str) and value else None

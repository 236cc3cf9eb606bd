"""Events that come otherwise than by the bus: in batches over HTTP, or from a file. Each gets an answer.

What cannot be taken is parked with its reason, as on the bus, and so is what follows about the same subject.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from pydantic import JsonValue, ValidationError
from sqlalchemy import ARRAY, Text, any_, bindparam, select
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


class Checked(NamedTuple):
    """incoming: the event, or why it cannot be taken. subject: as it came, if it came with one."""

    subject: str | None
    incoming: Incoming | str


def check(raw: JsonValue) -> Checked:
    """Look at what somebody sent as an event. Raises nothing of its content."""
    return Checked(_text(raw, "subject"), _check(raw))


async def receive(engine: AsyncEngine, batch: Sequence[JsonValue]) -> list[Answer]:
    """Take a batch in one transaction. Returns an answer for each, in order. Raises nothing of their content.

    batch: CloudEvents as JSON, or whatever somebody sent in their place.
    """
    return await receive_checked(engine, [check(raw) for raw in batch], batch.__getitem__)


async def receive_checked(
    engine: AsyncEngine, batch: Sequence[Checked], raw: Callable[[int], JsonValue]
) -> list[Answer]:
    """The same for a batch that was checked. raw: what was sent in that place, asked for what is parked."""
    async with engine.begin() as connection:
        await keeping(connection)
        waiting = set(await _waiting(connection, batch))
        there = await _there_already(connection, batch)
        ready: list[Incoming] = []
        answers: list[Answer] = []
        for place, (subject, incoming) in enumerate(batch):
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
                await _park(connection, raw(place), reason)
                answers.append(Answer(_text(raw(place), "id"), Outcome.PARKED, reason))
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


async def _waiting(connection: AsyncConnection, batch: Sequence[Checked]) -> frozenset[str]:
    subjects = {one.subject for one in batch if one.subject is not None}
    return await parked_subjects(connection, ManageEcts.name, subjects)


_THERE = select(received_events.c.event_id).where(
    received_events.c.event_id == any_(bindparam("ids", type_=ARRAY(Text)))
)


async def _there_already(connection: AsyncConnection, batch: Sequence[Checked]) -> set[str]:
    ids = [one.incoming.event_id for one in batch if isinstance(one.incoming, Incoming)]
    return set((await connection.scalars(_THERE, {"ids": ids})).all())


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

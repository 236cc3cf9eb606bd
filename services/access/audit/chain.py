"""The chain: each hash covers its entry and the hash before it, so that no past entry can change unseen."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.access.audit.entry import Entry
from services.access.tables import audit, audit_head

BATCH: Final = 2000


class BrokenChain(Exception):
    """number: the first entry that is missing, changed, or does not follow from the one before it."""

    def __init__(self, number: int) -> None:
        super().__init__(f"the audit is broken at entry {number}")
        self.number = number


def hash_of(number: int, entry: Entry, previous_hash: str) -> str:
    """SHA-256, in hexadecimal digits, of the entry as canonical JSON with its number and the hash before."""
    content = {"number": number, "previous_hash": previous_hash, **asdict(entry)}
    canonical = json.dumps(
        content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=_canonical
    )
    return hashlib.sha256(canonical.encode()).hexdigest()


def _canonical(value: object) -> str:
    match value:
        case datetime():
            return value.astimezone(UTC).isoformat(timespec="microseconds")
        case UUID():
            return str(value)
    raise TypeError(f"{type(value).__name__} has no canonical form")


async def append(connection: AsyncConnection, entries: Sequence[Entry]) -> None:
    """Add entries to the end of the chain; those that are in it already are left out.

    The head is held until the transaction ends: of several writers, one at a time goes on.
    """
    head = (await connection.execute(select(audit_head).with_for_update())).one()
    known = await connection.scalars(
        select(audit.c.event_id).where(audit.c.event_id.in_([entry.event_id for entry in entries]))
    )
    seen = set(known)
    number, previous_hash = head.number, head.hash
    rows = []
    for entry in entries:
        if entry.event_id in seen:
            continue
        number += 1
        row_hash = hash_of(number, entry, previous_hash)
        rows.append(
            {
                **asdict(entry),
                "participant_ids": list(entry.participant_ids),
                "number": number,
                "previous_hash": previous_hash,
                "hash": row_hash,
            }
        )
        previous_hash = row_hash
        seen.add(entry.event_id)
    if rows:
        await connection.execute(insert(audit), rows)
        await connection.execute(update(audit_head).values(number=number, hash=previous_hash))


async def verify_chain(engine: AsyncEngine) -> int:
    """Return how many entries the chain has, all sound. Raises BrokenChain with the first that is not.

    Also notices entries that are missing at the end, by the head that is kept beside the table. What it
    cannot notice: a chain written anew as a whole. Keep the head's hash elsewhere to tell that, too.
    """
    number, previous_hash = 0, ""
    async with engine.connect() as connection:
        # One snapshot, so that entries added meanwhile are not taken for missing ones.
        await connection.execution_options(isolation_level="REPEATABLE READ")
        head = (await connection.execute(select(audit_head))).one()
        while True:
            query = select(audit).where(audit.c.number > number).order_by(audit.c.number).limit(BATCH)
            rows = (await connection.execute(query)).all()
            for row in rows:
                number += 1
                if not _is_sound(row, number, previous_hash):
                    raise BrokenChain(number)
                previous_hash = row.hash
            if len(rows) < BATCH:
                break
    if (number, previous_hash) != (head.number, head.hash):
        raise BrokenChain(min(number, head.number) + 1)
    return number


def _is_sound(row: Row[Any], number: int, previous_hash: str) -> bool:
    entry = Entry(
        event_id=row.event_id,
        at=row.at,
        kind=row.kind,
        person_id=row.person_id,
        about_id=row.about_id,
        role=row.role,
        organisation_id=row.organisation_id,
        participant_ids=tuple(row.participant_ids),
        data=row.data,
    )
    return (row.number, row.previous_hash, row.hash) == (
        number,
        previous_hash,
        hash_of(number, entry, previous_hash),
    )

"""Follows a publisher and adds what it tells to the audit."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import Table
from sqlalchemy.ext.asyncio import AsyncConnection

from services.access.audit.chain import append
from services.access.audit.entry import entry_of
from shared.contracts.envelope import CloudEvent

PUBLISHERS: Final = ("auth", "access", "participants", "export")


class Recorder:
    """One for each publisher; all of them write one chain. An event that is not understood is parked."""

    tables: tuple[Table, ...] = ()
    """None: the chain is a record, and proves that nobody made it anew (`verify_chain`)."""

    def __init__(self, publisher: str) -> None:
        self.publisher = publisher
        self.name = f"audit-{publisher}"

    async def apply(self, connection: AsyncConnection, events: Sequence[CloudEvent]) -> None:
        entries = [entry_of(self.publisher, event) for event in events]
        if kept := [entry for entry in entries if entry is not None]:
            await append(connection, kept)

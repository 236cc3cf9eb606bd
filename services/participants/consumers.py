"""What Manage ECTs publishes on the bus → the log."""

from collections.abc import Callable, Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from services.participants.incoming import PREFIX, read
from services.participants.received_log import keep
from services.participants.tables import (
    mentor_namings,
    participant_views,
    status_history,
    subject_references,
)
from shared.contracts.envelope import CloudEvent


class ManageEcts:
    """The projection. It writes the log and the marks; `arrived` says that somebody is due.

    tables: what follows from the log (derivation.py). The log itself is a record: it alone knows what came
    by HTTP or from a file, and when.
    """

    name = "participants"
    publisher = "manage_ects"
    tables = (subject_references, mentor_namings, participant_views, status_history)

    def __init__(self, arrived: Callable[[], None]) -> None:
        self._arrived = arrived

    async def apply(self, connection: AsyncConnection, events: Sequence[CloudEvent]) -> None:
        """Raises what incoming.read raises: then the event is parked with that as its reason."""
        await keep(connection, [read(event) for event in events if event.type.startswith(PREFIX)])
        self._arrived()

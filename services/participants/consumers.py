"""What Manage ECTs publishes on the bus → the log."""

from collections.abc import Callable, Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from services.participants.incoming import PREFIX, read
from services.participants.received_log import keep
from shared.contracts.envelope import CloudEvent


class ManageEcts:
    """The projection. Its rows are the log and the marks; `arrived` says that somebody is due."""

    name = "participants"
    publisher = "manage_ects"

    def __init__(self, arrived: Callable[[], None]) -> None:
        self._arrived = arrived

    async def apply(self, connection: AsyncConnection, events: Sequence[CloudEvent]) -> None:
        """Raises what incoming.read raises: then the event is parked with that as its reason."""
        await keep(connection, [read(event) for event in events if event.type.startswith(PREFIX)])
        self._arrived()

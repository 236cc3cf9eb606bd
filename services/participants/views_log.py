"""Who looked at whom, recorded before they see it: a view that cannot be recorded is not shown."""

from uuid import uuid4

from services.participants.events import Event, Viewed
from shared.event_store import NO_STREAM, EventStore


async def record_view(store: EventStore[Event], viewed: Viewed) -> None:
    """Append the view. Each has a stream of its own: it depends on no other, so none waits for another."""
    await store.append(f"view-{uuid4()}", [viewed], expected=NO_STREAM, actor=str(viewed.person_id))

"""What every route of access has at hand: the store, the time, and who calls."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated

from fastapi import Depends, Query, Request
from sqlalchemy.ext.asyncio import AsyncConnection

from services.access.domain.events import Event
from services.access.domain.vocabulary import Actor, OrganisationId, PersonId, Role
from shared.clock import Clock, london_day
from shared.event_store import EventStore
from shared.web.caller import PersonCaller


@dataclass(frozen=True, slots=True)
class Desk:
    store: EventStore[Event]
    clock: Clock

    def reading(self) -> AbstractAsyncContextManager[AsyncConnection]:
        return self.store.engine.connect()

    def now(self) -> datetime:
        return self.clock()

    def today(self) -> date:
        """Europe/London."""
        return london_day(self.clock())


async def desk_of(request: Request) -> Desk:
    desk: Desk = request.app.state.desk
    return desk


async def reading(desk: Annotated[Desk, Depends(desk_of)]) -> AsyncIterator[AsyncConnection]:
    """A connection for as long as the answer is made. Not beside a handler, which takes one of its own."""
    async with desk.reading() as connection:
        yield connection


def actor(caller: PersonCaller) -> Actor:
    organisation = caller.organisation_id
    return Actor(
        PersonId(caller.person_id),
        Role(caller.role),
        None if organisation is None else OrganisationId(organisation),
    )


AtDesk = Annotated[Desk, Depends(desk_of)]
Reading = Annotated[AsyncConnection, Depends(reading)]
Page = Annotated[int, Query(ge=1, le=1_000_000)]

"""A publisher's events over HTTP, for readers that the bus cannot serve: GET /events?after=POSITION."""

from typing import Annotated, Any, Protocol, TypeVar

import httpx
from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, TypeAdapter

from shared.bus.publication import Publication, PublishedPage, read_published
from shared.contracts.envelope import CloudEvent, from_json
from shared.event_store import EventStore
from shared.web.caller import ServiceCaller, service

Event = TypeVar("Event")


class FeedPage(BaseModel):
    """up_to: the position to ask after next. Equal to `after` when there is nothing more."""

    events: list[CloudEvent]
    up_to: int


FEED_PAGE = TypeAdapter(FeedPage)


class Feed(Protocol):
    """Raises httpx.HTTPError or ValueError when it cannot be read."""

    async def read(self, after: int, limit: int, partition: int, of: int) -> PublishedPage: ...


class HttpFeed:
    """Another service's feed. Raises httpx.HTTPError, or ValueError for what is no page of a feed."""

    def __init__(self, url: str, http: httpx.AsyncClient) -> None:
        self._url = url
        self._http = http

    async def read(self, after: int, limit: int, partition: int, of: int) -> PublishedPage:
        answer = await self._http.get(
            f"{self._url}/events", params={"after": after, "limit": limit, "partition": partition, "of": of}
        )
        answer.raise_for_status()
        page = from_json(FEED_PAGE, answer.content)
        return PublishedPage(page.events, page.up_to)


def feed_router(publication: Publication[Any], *readers: str) -> APIRouter:
    """GET /events for these services. The application's state holds the event store as `store`."""
    router = APIRouter(tags=["events"])

    @router.get("/events")
    async def events(
        request: Request,
        _caller: Annotated[ServiceCaller, Depends(service(*readers))],
        after: Annotated[int, Query(ge=0)] = 0,
        limit: Annotated[int, Query(ge=1, le=5000)] = 1000,
        partition: Annotated[int, Query(ge=0)] = 0,
        of: Annotated[int, Query(ge=1, le=256)] = 1,
    ) -> FeedPage:
        """Published events after a position, in order. docs/reference/asyncapi.json says what they carry."""
        store: EventStore[Any] = request.app.state.store
        page = await read_published(store, publication, after, limit, partition, of)
        return FeedPage(events=list(page.events), up_to=page.up_to)

    return router

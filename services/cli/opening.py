"""What a command opens to work on a service's data: its settings, engine and store, without serving."""

import importlib
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import typer
from sqlalchemy.ext.asyncio import AsyncEngine

from services.cli.configuration import settings_told_by_name
from services.cli.home import home
from shared.backbone import EVENTS_BELL, WORK_BELL
from shared.clock import system_clock
from shared.database.bell import ring_once
from shared.database.engine import service_engine
from shared.event_store import Codec, EventStore


def owner_url_of(service: str) -> str:
    """The service's database as the owner of its tables. Ends the command when it is not told."""
    with home().environment_of(service):
        url = os.environ.get("CHECK_DATA_OWNER_DATABASE_URL")
    if not url:
        raise typer.BadParameter("CHECK_DATA_OWNER_DATABASE_URL is not set")
    return url


@dataclass(frozen=True, slots=True)
class Opened:
    settings: Any
    engine: AsyncEngine
    store: EventStore[Any]


@asynccontextmanager
async def opened(service: str) -> AsyncIterator[Opened]:
    """The service's data, by the environment or else by the running installation in the home folder.

    Afterwards the service's own processes are told that there may be new events and new work.
    """
    with home().environment_of(service), settings_told_by_name():
        settings = importlib.import_module(f"services.{service}.settings").Settings()
    codec: Codec[Any] = importlib.import_module(f"services.{service}.publishing").CODEC
    engine = service_engine(settings)
    store = EventStore(engine, codec, system_clock)
    try:
        yield Opened(settings, engine, store)
        for bell in (EVENTS_BELL, WORK_BELL):
            await ring_once(engine, bell)
    finally:
        await store.close()
        await engine.dispose()

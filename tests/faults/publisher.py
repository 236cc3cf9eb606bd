"""A service that appends, relays and serves its feed: `python -m tests.faults.publisher`.

Several run side by side on one database; one of them is the active relay.
"""

import asyncio
import os
import random
from pathlib import Path

import structlog
import uvicorn
from fastapi import FastAPI, HTTPException

from shared.backbone import Backbone, open_backbone
from shared.bus.feed import FeedPage
from shared.bus.publication import read_published
from shared.database.errors import is_passing
from shared.event_store import ConcurrentAppend, EventStore, NewEvents
from shared.logging import configure_logging
from shared.settings import ServiceSettings
from tests.faults.rehearsal import (
    ACKNOWLEDGED,
    CODEC,
    FEED_AWAY_FLAG,
    LOAD_FLAG,
    PUBLICATION,
    PUBLISHER,
    Counted,
    skewed_clock,
    write_line,
)

log = structlog.get_logger(__name__)

SUBJECTS = 60
WRITERS = 3
PAUSE_SECONDS = 0.04
LATE_COMMIT = 0.05
"""The share of transactions that stay open for a while, so that others overtake them."""


class Load:
    """Appends to random subjects, as long as the campaign wants it."""

    def __init__(self, store: EventStore[Counted], folder: Path, rng: random.Random) -> None:
        self._store = store
        self._folder = folder
        self._rng = rng

    async def run(self) -> None:
        while True:
            if (self._folder / LOAD_FLAG).exists():
                try:
                    await self._append()
                except ConcurrentAppend:
                    pass
                except Exception as error:
                    if not is_passing(error):
                        raise
                    log.warning("append_failed", error=type(error).__name__)
                    await asyncio.sleep(0.2)
            await asyncio.sleep(self._rng.uniform(0, 2 * PAUSE_SECONDS))

    async def _append(self) -> None:
        subjects = {f"subject-{self._rng.randrange(SUBJECTS)}" for _ in range(self._rng.randint(1, 3))}
        async with self._store.transaction() as transaction:
            batch = []
            for subject in sorted(subjects):
                version = (await transaction.load(subject)).version
                numbers = range(version + 1, version + 1 + self._rng.randint(1, 3))
                new = [Counted(subject, n, secret=self._rng.random() < 0.1) for n in numbers]
                batch.append(NewEvents(subject, version, new))
            recorded = await transaction.append_all(batch, actor="load")
            if self._rng.random() < LATE_COMMIT:
                await asyncio.sleep(self._rng.uniform(0, 0.5))
        for one in recorded:
            write_line(self._folder / ACKNOWLEDGED, one.event_id)


def feed(backbone: Backbone[Counted], folder: Path) -> FastAPI:
    """The feed as shared.bus.feed serves it, but open to everybody: auth is not what is tried here."""
    app = FastAPI()

    @app.get("/events")
    async def events(after: int, limit: int, partition: int, of: int) -> FeedPage:
        if (folder / FEED_AWAY_FLAG).exists():
            raise HTTPException(503)
        page = await read_published(backbone.store, PUBLICATION, after, limit, partition, of)
        return FeedPage(events=list(page.events), up_to=page.up_to)

    return app


async def main() -> None:
    settings = ServiceSettings()
    configure_logging(PUBLISHER, settings.log_level)
    clock = skewed_clock(float(os.environ["FAULTS_CLOCK_SECONDS"]))
    folder = Path(os.environ["FAULTS_FOLDER"])
    rng = random.Random(os.environ["FAULTS_SEED"])
    async with open_backbone(PUBLISHER, settings, CODEC, clock) as backbone:
        backbone.publish(PUBLICATION)
        for number in range(WRITERS):
            backbone.keep_running(f"load {number}", Load(backbone.store, folder, rng).run)
        config = uvicorn.Config(
            feed(backbone, folder), host=settings.host, port=settings.port, log_config=None
        )
        await uvicorn.Server(config).serve()


if __name__ == "__main__":
    asyncio.run(main())

"""A service that follows the publisher and sends emails: `python -m tests.faults.reader`.

Several run side by side on one database. An email is a line in a file, so that doubles show.
"""

import asyncio
import os
import random
import signal
import time
from pathlib import Path

import httpx

from shared.backbone import open_backbone
from shared.bus.feed import HttpFeed
from shared.bus.projection import ProjectionRunner
from shared.logging import configure_logging
from shared.settings import ServiceSettings
from shared.work_queue import Job, Worker
from tests.faults.rehearsal import (
    CODEC,
    EMAIL,
    EMAILS,
    PUBLISHER,
    READER,
    Sightings,
    skewed_clock,
    write_line,
)

FAILURES = 0.03
"""The share of emails that the mail server refuses at first."""
LEASE_SECONDS = 6.0
"""Shorter than in service, so that the work of the killed is taken over within a run."""


class MailServer:
    """Takes a moment, fails now and then, and never forgets what it took."""

    def __init__(self, folder: Path, rng: random.Random) -> None:
        self._emails = folder / EMAILS
        self._rng = rng

    async def send(self, job: Job) -> None:
        await asyncio.sleep(self._rng.uniform(0, 0.03))
        if self._rng.random() < FAILURES:
            raise ConnectionRefusedError("the mail server is busy")
        write_line(self._emails, job.key, time.time(), os.getpid())


async def main() -> None:
    settings = ServiceSettings()
    configure_logging(READER, settings.log_level)
    clock = skewed_clock(float(os.environ["FAULTS_CLOCK_SECONDS"]))
    folder = Path(os.environ["FAULTS_FOLDER"])
    rng = random.Random(os.environ["FAULTS_SEED"])
    end = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, end.set)
    async with (
        open_backbone(READER, settings, CODEC, clock) as backbone,
        httpx.AsyncClient(timeout=5) as http,
    ):
        source = HttpFeed(settings.feed_urls[PUBLISHER], http)
        for partition in range(settings.bus_partitions):
            runner = ProjectionRunner(
                Sightings(folder),
                backbone.engine,
                backbone.broker,
                source,
                partition=partition,
                partitions=settings.bus_partitions,
                batch=settings.projection_batch,
            )
            backbone.keep_running(f"projection {partition}", runner.run)
        mail = MailServer(folder, rng)
        worker = Worker(backbone.engine, backbone.work_bell, {EMAIL: mail.send}, lease_seconds=LEASE_SECONDS)
        backbone.keep_running("worker", worker.run)
        await end.wait()


if __name__ == "__main__":
    asyncio.run(main())

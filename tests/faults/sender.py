"""A service that sends the emails that the reader asks for: `python -m tests.faults.sender`.

Several run side by side on the reader's database. An email is a line in a file, so that doubles show.
"""

import asyncio
import os
import random
import signal
import time
from pathlib import Path

from shared.backbone import open_backbone
from shared.logging import configure_logging
from shared.settings import ServiceSettings
from shared.work_queue import Job, Worker
from tests.faults.rehearsal import CODEC, EMAIL, EMAILS, SENDER, skewed_clock, write_line

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
    configure_logging(SENDER, settings.log_level)
    clock = skewed_clock(float(os.environ["FAULTS_CLOCK_SECONDS"]))
    mail = MailServer(Path(os.environ["FAULTS_FOLDER"]), random.Random(os.environ["FAULTS_SEED"]))
    end = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, end.set)
    async with open_backbone(SENDER, settings, CODEC, clock) as backbone:
        worker = Worker(backbone.engine, backbone.work_bell, {EMAIL: mail.send}, lease_seconds=LEASE_SECONDS)
        backbone.keep_running("worker", worker.run)
        await end.wait()


if __name__ == "__main__":
    asyncio.run(main())

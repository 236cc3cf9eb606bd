"""A service that follows the publisher: `python -m tests.faults.reader`.

Several run side by side on one database; one of them is active in each partition.
"""

import asyncio
import os
import signal
from pathlib import Path

import httpx

from shared.backbone import open_backbone
from shared.bus.feed import HttpFeed
from shared.bus.projection import ProjectionRunner
from shared.logging import configure_logging
from shared.settings import ServiceSettings
from tests.faults.rehearsal import CODEC, PUBLISHER, READER, Sightings, skewed_clock


async def main() -> None:
    settings = ServiceSettings()
    configure_logging(READER, settings.log_level)
    clock = skewed_clock(float(os.environ["FAULTS_CLOCK_SECONDS"]))
    end = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, end.set)
    async with (
        open_backbone(READER, settings, CODEC, clock) as backbone,
        httpx.AsyncClient(timeout=5) as http,
    ):
        source = HttpFeed(settings.feed_urls[PUBLISHER], http)
        for partition in range(settings.bus_partitions):
            runner = ProjectionRunner(
                Sightings(Path(os.environ["FAULTS_FOLDER"])),
                backbone.engine,
                backbone.broker,
                source,
                partition=partition,
                partitions=settings.bus_partitions,
                batch=settings.projection_batch,
            )
            backbone.keep_running(f"projection {partition}", runner.run)
        await end.wait()


if __name__ == "__main__":
    asyncio.run(main())

"""The means to take in, or to derive, very many at once: other processes for what needs no database."""

import multiprocessing
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager

from services.participants.derivation import Means

BATCH = 500
"""Participants in one transaction. More of them would not be quicker, and others wait the longer."""


@contextmanager
def in_bulk() -> Iterator[Means]:
    """As many processes as there are cores. They wait for the database half of the time."""
    processes = os.cpu_count() or 1
    with ProcessPoolExecutor(processes, multiprocessing.get_context("spawn")) as executor:
        yield Means(BATCH, executor, ahead=processes)

"""Does the work of a queue. Any number of workers, in any number of processes."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping

import structlog
from prometheus_client import Counter
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.database.bell import Bell
from shared.database.errors import AWAY
from shared.tracing import tracing
from shared.work_queue.queue import Job, claim, extend, postpone, settle

log = structlog.get_logger(__name__)

JOBS = Counter("checkdata_work_jobs_total", "Jobs by how they ended", ["kind", "outcome"])

Handler = Callable[[Job], Awaitable[None]]
"""Does one job. Raises to be tried again later, or GiveUp. May be called again for a job whose effect
happened while its record was lost with the process: what can be made idempotent, is."""

LEASE_SECONDS = 30.0
POLL_SECONDS = 1.0
FIRST_DELAY_SECONDS = 0.5
LONGEST_DELAY_SECONDS = 300.0
MAX_TRIES = 12


class GiveUp(Exception):
    """Trying again will not help. The job is parked with this reason."""


class Worker:
    """handlers: by kind of job. concurrency: jobs at a time in this process.

    lease_seconds: after so long without a word from a worker, its jobs are others' to do.
    """

    def __init__(
        self,
        engine: AsyncEngine,
        bell: Bell,
        handlers: Mapping[str, Handler],
        concurrency: int = 4,
        lease_seconds: float = LEASE_SECONDS,
    ) -> None:
        self._engine = engine
        self._bell = bell
        self._handlers = handlers
        self._free = asyncio.Semaphore(concurrency)
        self._lease_seconds = lease_seconds

    async def run(self) -> None:
        """Never returns. Cancelling waits for nothing: unfinished jobs are due again after their lease."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                await self._free.acquire()
                job = await self._next()
                tasks.create_task(self._do(job))

    async def _next(self) -> Job:
        while True:
            try:
                async with self._engine.begin() as connection:
                    jobs = await claim(connection, list(self._handlers), 1, self._lease_seconds)
                if jobs:
                    return jobs[0]
            except AWAY as error:
                log.warning("queue_away", error=type(error).__name__)
            await self._bell.wait(POLL_SECONDS)

    async def _do(self, job: Job) -> None:
        keeping = asyncio.create_task(self._keep(job))
        try:
            with tracing(job.trace.child()):
                await self._handlers[job.kind](job)
        except GiveUp as reason:
            await self._record(job, "parked", str(reason))
        except Exception as error:
            await self._failed(job, error)
        else:
            await self._record(job, "done")
        finally:
            keeping.cancel()
            self._free.release()

    async def _keep(self, job: Job) -> None:
        """Extend the lease while the handler runs, however long it takes."""
        while True:
            await asyncio.sleep(self._lease_seconds / 3)
            try:
                async with self._engine.begin() as connection:
                    await extend(connection, job, self._lease_seconds)
            except AWAY as error:
                log.warning("lease_not_extended", job=job.id, error=type(error).__name__)

    async def _failed(self, job: Job, error: Exception) -> None:
        name = type(error).__name__
        log.warning("job_failed", kind=job.kind, job=job.id, tries=job.tries, error=name, exc_info=error)
        if job.tries >= MAX_TRIES:
            await self._record(job, "parked", name)
            return
        JOBS.labels(job.kind, "postponed").inc()
        try:
            async with self._engine.begin() as connection:
                await postpone(connection, job, delay(job.tries), name)
        except AWAY:
            log.warning("job_left_to_its_lease", job=job.id)

    async def _record(self, job: Job, state: str, reason: str | None = None) -> None:
        """Insists: an effect that is done and not recorded would be done again."""
        while True:
            try:
                async with self._engine.begin() as connection:
                    mine = await settle(connection, job, state, reason)
                JOBS.labels(job.kind, state).inc()
                log.info("job_settled", kind=job.kind, job=job.id, state=state, mine=mine)
                return
            except AWAY as error:
                log.warning("job_not_recorded", job=job.id, error=type(error).__name__)
                await asyncio.sleep(FIRST_DELAY_SECONDS)


def delay(tries: int) -> float:
    """Seconds to wait after so many tries: doubling, with jitter so that failures do not march in step."""
    longest = min(LONGEST_DELAY_SECONDS, FIRST_DELAY_SECONDS * 2**tries)
    return random.uniform(FIRST_DELAY_SECONDS, longest)  # noqa: S311 - not a secret

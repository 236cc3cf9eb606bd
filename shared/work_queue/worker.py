"""Does the work of a queue. Any number of workers, in any number of processes."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager

import structlog
from prometheus_client import Counter
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.database.bell import Bell
from shared.database.errors import AWAY
from shared.spans import Kind, span
from shared.tasks import stop_tasks
from shared.tracing import tracing
from shared.work_queue.queue import Job, claim, extend, give_back, park_used_up, postpone, settle

log = structlog.get_logger(__name__)

JOBS = Counter("checkdata_work_jobs_total", "Jobs by how they ended", ["kind", "outcome"])

Handler = Callable[[Job], Awaitable[None]]
"""Does one job. Raises to be tried again later, or GiveUp. May be called again for a job whose effect
happened while its record was lost with the process: what can be made idempotent, is. It is cancelled when
its worker was taken for dead, since another has the job by then."""

LEASE_SECONDS = 30.0
POLL_SECONDS = 1.0
RECORD_AGAIN_SECONDS = 0.5
SHORTEST_SPAN_SECONDS = 1.0
LONGEST_SPAN_SECONDS = 3600.0
MAX_TRIES = 60
"""With the delays below, about a day: a mail server that is away for a night costs nobody an email."""

USED_UP = "its tries are used up, and the last one ended without a word: its worker died or hung"


class GiveUp(Exception):
    """Trying again will not help. The job is parked with this reason, which repeats no personal data."""


class LeaseLost(Exception):
    """Another worker has the job."""


class Worker:
    """handlers: by kind of job. concurrency: jobs at a time in this process.

    lease_seconds: after so long without a word from a worker, its jobs are others' to do (a job's second
    try has twice as long, and so on). A job is tried `max_tries` times at most, then it is parked.
    """

    def __init__(
        self,
        engine: AsyncEngine,
        bell: Bell,
        handlers: Mapping[str, Handler],
        concurrency: int = 4,
        lease_seconds: float = LEASE_SECONDS,
        max_tries: int = MAX_TRIES,
    ) -> None:
        self._engine = engine
        self._bell = bell
        self._handlers = handlers
        self._kinds = list(handlers)
        self._free = asyncio.Semaphore(concurrency)
        self._lease_seconds = lease_seconds
        self._max_tries = max_tries
        self._finishing = False

    async def run(self) -> None:
        """Returns after `finish`, when the jobs under way are done. Cancelling waits for none: they are given
        back, and due at once for other workers.
        """
        async with asyncio.TaskGroup() as tasks:
            while True:
                await self._free.acquire()
                job = await self._next()
                if job is None:
                    return
                tasks.create_task(self._do(job))

    def finish(self) -> None:
        """Take no further jobs."""
        self._finishing = True
        self._bell.ring()

    async def _next(self) -> Job | None:
        """None: it is to take no more."""
        while not self._finishing:
            try:
                async with self._engine.begin() as connection:
                    jobs = await claim(connection, self._kinds, 1, self._lease_seconds, self._max_tries)
                if jobs:
                    return jobs[0]
                await self._park_used_up()
            except AWAY as error:
                log.warning("queue_away", error=type(error).__name__)
            await self._bell.wait(POLL_SECONDS)
        return None

    async def _park_used_up(self) -> None:
        async with self._engine.begin() as connection:
            parked = await park_used_up(connection, self._kinds, self._max_tries, USED_UP)
        for number, kind in parked:
            _count(kind, number, "parked")

    async def _do(self, job: Job) -> None:
        try:
            step = job.trace.child()
            with (
                tracing(step),
                span(f"do {job.kind}", Kind.CONSUMER, step, job.trace.span_id, tries=job.tries),
            ):
                await self._try(job)
        finally:
            self._free.release()

    async def _try(self, job: Job) -> None:
        try:
            async with self._keeping(job):
                await self._handlers[job.kind](job)
        except asyncio.CancelledError:
            await self._give_back(job)
            raise
        except LeaseLost:
            _count(job.kind, job.id, "lost")
        except GiveUp as reason:
            await self._record(job, "parked", str(reason))
        except Exception as error:
            await self._failed(job, error)
        else:
            await self._record(job, "done")

    @asynccontextmanager
    async def _keeping(self, job: Job) -> AsyncIterator[None]:
        """Extend the lease while the handler runs. Cancels it, and raises LeaseLost, when another has it."""
        try:
            async with asyncio.timeout(None) as held:
                keeping = asyncio.create_task(self._keep(job, held))
                try:
                    yield
                finally:
                    await stop_tasks([keeping])
        except TimeoutError:
            if held.expired():
                raise LeaseLost from None
            raise  # the handler's own

    async def _keep(self, job: Job, held: asyncio.Timeout) -> None:
        """End `held` when the lease is lost. While the database is away, nobody can take the job."""
        extended = True
        while extended:
            await asyncio.sleep(self._lease_seconds / 3)
            try:
                async with self._engine.begin() as connection:
                    extended = await extend(connection, job, self._lease_seconds)
            except AWAY as error:
                log.warning("lease_not_extended", job=job.id, error=type(error).__name__)
        held.reschedule(asyncio.get_running_loop().time())

    async def _failed(self, job: Job, error: Exception) -> None:
        name = type(error).__name__
        log.warning("job_failed", kind=job.kind, job=job.id, tries=job.tries, error=name, exc_info=error)
        if job.tries >= self._max_tries:
            await self._record(job, "parked", name)
            return
        try:
            async with self._engine.begin() as connection:
                mine = await postpone(connection, job, delay(job.tries), name)
            _count(job.kind, job.id, "postponed" if mine else "lost")
        except AWAY:
            log.warning("job_left_to_its_lease", job=job.id)

    async def _give_back(self, job: Job) -> None:
        try:
            async with self._engine.begin() as connection:
                await give_back(connection, job)
        except AWAY:
            log.warning("job_left_to_its_lease", job=job.id)
        else:
            _count(job.kind, job.id, "given_back")

    async def _record(self, job: Job, state: str, reason: str | None = None) -> None:
        """Insists: an effect that is done and not recorded would be done again."""
        while True:
            try:
                async with self._engine.begin() as connection:
                    mine = await settle(connection, job, state, reason)
                _count(job.kind, job.id, state if mine else "lost")
                return
            except AWAY as error:
                log.warning("job_not_recorded", job=job.id, error=type(error).__name__)
                await asyncio.sleep(RECORD_AGAIN_SECONDS)


def _count(kind: str, number: int, outcome: str) -> None:
    JOBS.labels(kind, outcome).inc()
    log.info("job_ended", kind=kind, job=number, outcome=outcome)


def delay(tries: int) -> float:
    """Seconds to wait after so many tries: anything within a span that doubles, from a second to an hour.

    Full jitter: what failed together does not come back together, also after a long outage.
    Source: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
    """
    span = min(LONGEST_SPAN_SECONDS, SHORTEST_SPAN_SECONDS * 2 ** (tries - 1))
    return random.uniform(0, span)  # noqa: S311 - not a secret

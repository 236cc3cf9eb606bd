"""What is wrong with an installation, and what to do about it, on one screen."""

from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Final

import httpx
import typer
from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.cli.opening import Opened, opened
from services.cli.projections import projections_of
from shared.backlog import DUE
from shared.bus.client import BUS_AWAY, open_client
from shared.bus.parking import list_parked
from shared.bus.publication import bus_stream
from shared.bus.stream import NOT_OURS, BusStream
from shared.bus.tables import checkpoints
from shared.database.errors import AWAY
from shared.database.schema import RequiredSchema, SchemaTooOld
from shared.work_queue.parked import parked_jobs

LATE_SECONDS: Final = 600.0
BEHIND_EVENTS: Final = 1_000
ANSWER_SECONDS: Final = 5.0

FAILED = text("SELECT count(*) FROM derivations_due WHERE failure IS NOT NULL")


@dataclass(frozen=True, slots=True)
class Trouble:
    """what: a sentence. todo: what to do about it."""

    what: str
    todo: str


Check = Callable[[str, Opened], Coroutine[Any, Any, Sequence[Trouble]]]


async def examine(services: Sequence[str]) -> None:
    """Prints a line for each service, and each trouble with its remedy. Ends with 1 when there is any."""
    ill = 0
    for service in services:
        troubles = [trouble async for trouble in _troubles(service)]
        typer.echo(f"{service:14}{'well' if not troubles else ''}".rstrip())
        for trouble in troubles:
            typer.echo(f"  - {trouble.what}\n      {trouble.todo}")
        ill += bool(troubles)
    if ill:
        typer.echo(f"{ill} of {len(services)} services need something")
        raise typer.Exit(1)
    typer.echo("Nothing is wrong")


async def _troubles(service: str) -> AsyncIterator[Trouble]:
    try:
        async with opened(service) as data:
            for check in CHECKS:
                found = await check(service, data)
                for trouble in found:
                    yield trouble
                if found and check is _schema:
                    return  # what the others ask for may not be there yet
    except typer.Exit:
        yield Trouble("Its settings are not here.", "Run this where the environment of the service is set.")
    except AWAY:
        yield Trouble("Its database does not answer.", "Start Postgres; the services go on by themselves.")


async def _process(_service: str, data: Opened) -> Sequence[Trouble]:
    url = f"http://{data.settings.host}:{data.settings.port}/health/ready"
    try:
        async with httpx.AsyncClient(timeout=ANSWER_SECONDS) as http:
            answer = await http.get(url)
    except httpx.HTTPError:
        return [Trouble("No process answers on its port.", "Start it. If it ends again, read its log's end.")]
    if answer.is_success:
        return []
    return [Trouble(f"It is not ready: {answer.text}", "Bring back what is named there; it waits for it.")]


async def _schema(service: str, data: Opened) -> Sequence[Trouble]:
    try:
        async with data.engine.connect() as connection:
            await RequiredSchema(service).check(connection)
    except SchemaTooOld:
        return [Trouble("Its schema is older than this release.", f"check-data migrate {service}")]
    return []


async def _parked(service: str, data: Opened) -> Sequence[Trouble]:
    async with data.engine.connect() as connection:
        events, jobs = len(await list_parked(connection)), len(await parked_jobs(connection))
    if not events and not jobs:
        return []
    return [Trouble(f"{events} events and {jobs} jobs are parked.", f"check-data parked list {service}")]


async def _jobs(_service: str, data: Opened) -> Sequence[Trouble]:
    async with data.engine.connect() as connection:
        late = [row for row in await connection.execute(DUE) if row.seconds > LATE_SECONDS]
    return [
        Trouble(
            f"{row.count} jobs of kind {row.kind} wait, the oldest for {row.seconds / 60:.0f} minutes.",
            "Is the mail server or the object store there? `job_failed` in the log says what is wrong.",
        )
        for row in late
    ]


async def _bus(service: str, data: Opened) -> Sequence[Trouble]:
    """Whether everything is published: the streams end where the log does, or are behind it for now."""
    partitions = data.settings.bus_partitions
    async with aclosing(open_client(data.settings.redis_url.get_secret_value())) as redis:
        streams = [BusStream(redis, bus_stream(service, number)) for number in range(partitions)]
        try:
            last = max([await stream.last() for stream in streams])
        except BUS_AWAY:
            return [
                Trouble("Redis does not answer.", "Start it, empty is fine: nothing is lost, all is late.")
            ]
    head = await data.store.last_position()
    if last == NOT_OURS or last > head:
        return [
            Trouble(
                "Its stream ends beyond its log: the log was restored, or somebody else writes there.",
                "Its relay begins the stream anew by itself. Does it run, and does nobody else write there?",
            )
        ]
    return []


async def _readers(service: str, data: Opened) -> Sequence[Trouble]:
    troubles = []
    for projection in projections_of(service):
        try:
            async with opened(projection.publisher) as publisher:
                head = await publisher.store.last_position()
        except (typer.Exit, *AWAY):
            continue  # told of the publisher, when it is looked at
        async with data.engine.connect() as connection:
            behind = head - await _read_up_to(connection, projection.name)
        if behind > BEHIND_EVENTS:
            troubles.append(
                Trouble(
                    f"{projection.name} is {behind:,} events behind {projection.publisher}.",
                    "Look again in a minute. If it stands still, restart the service, and read its log.",
                )
            )
    return troubles


async def _read_up_to(connection: AsyncConnection, projection: str) -> int:
    query = select(func.min(checkpoints.c.position)).where(checkpoints.c.projection == projection)
    return await connection.scalar(query) or 0


async def _derivations(service: str, data: Opened) -> Sequence[Trouble]:
    if service != "participants":
        return []
    async with data.engine.connect() as connection:
        failed = await connection.scalar(FAILED)
    if not failed:
        return []
    return [
        Trouble(
            f"The status of {failed:,} participants cannot be worked out; they keep the one they had.",
            "`derivations_due` says why. After the release that mends it: check-data rebuild participants",
        )
    ]


CHECKS: Final[Sequence[Check]] = (_process, _schema, _parked, _jobs, _bus, _readers, _derivations)

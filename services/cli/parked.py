"""What is parked in a service, events and jobs: listed, shown, tried again, or given up on."""

import json
import re
from collections.abc import Awaitable
from typing import Any, Literal
from uuid import UUID

import typer
from pydantic import JsonValue
from sqlalchemy.ext.asyncio import AsyncConnection

from services.cli import parked_events
from services.cli.opening import opened
from shared.bus.parking import find_parked, list_parked
from shared.bus.parking import settle as settle_event
from shared.parked_actions import Reason, record_action
from shared.work_queue.parked import discard_job, parked_jobs, retry_job

NAME = re.compile(r"(event|job)-([0-9]{1,18})")
ENVELOPE = (
    "id",
    "source",
    "type",
    "subject",
    "time",
    "sequence",
    "traceparent",
    "correlationid",
    "causationid",
)


async def show_list(service: str) -> None:
    """Nothing of what they hold: it may be about people."""
    async with opened(service) as data, data.engine.connect() as connection:
        events, jobs = await list_parked(connection), await parked_jobs(connection)
    for event in events:
        typer.echo(
            f"event-{event.id}  {event.parked_at:%Y-%m-%d %H:%M}  {event.projection}  "
            f"position {event.position}  {event.type}  {event.subject}\n        {event.reason}"
        )
    for job in jobs:
        typer.echo(
            f"job-{job.id}  {job.parked_at:%Y-%m-%d %H:%M}  {job.kind}  {job.key}  tries {job.tries}\n"
            f"        {job.reason}"
        )
    typer.echo(f"{len(events)} events and {len(jobs)} jobs are parked")


async def show_one(service: str, name: str, personal: Reason | None) -> None:
    """personal: who asks for the content too, and why: that is recorded. Otherwise its shape is shown."""
    about, number = _parse(name)
    async with opened(service) as data, data.engine.begin() as connection:
        whole = await (_event if about == "event" else _job)(connection, name, number)
        if personal is not None:
            await record_action(connection, about, number, "shown", personal)
    typer.echo(json.dumps(whole if personal else _without_content(whole), indent=2))


async def _event(connection: AsyncConnection, name: str, number: int) -> dict[str, Any]:
    event = await find_parked(connection, number)
    if event is None:
        raise _not_parked(name)
    return event.event


async def _job(connection: AsyncConnection, name: str, number: int) -> dict[str, Any]:
    for job in await parked_jobs(connection):
        if job.id == number:
            return {
                "id": job.id,
                "type": job.kind,
                "subject": job.key,
                "time": job.created_at.isoformat(),
                "correlationid": job.trace["correlation_id"],
                "causationid": job.trace["causation_id"],
                "data": job.data,
            }
    raise _not_parked(name)


async def retry(service: str, name: str, reason: Reason) -> None:
    """An event with those of its subject behind it; a job by the service's workers, with its tries reset."""
    about, number = _parse(name)
    async with opened(service) as data:
        if about == "event":
            await parked_events.retry(service, data.engine, number, reason)
            return
        async with data.engine.begin() as connection:
            await _or_not_parked(name, retry_job(connection, number, reason))
    typer.echo(f"{name}: is due again")


async def discard(service: str, name: str, reason: Reason) -> None:
    about, number = _parse(name)
    async with opened(service) as data, data.engine.begin() as connection:
        if about == "event":
            done = settle_event(connection, number, "discarded", reason)
        else:
            done = discard_job(connection, number, reason)
        await _or_not_parked(name, done)
    typer.echo(f"{name}: discarded")


async def _or_not_parked(name: str, done: Awaitable[bool]) -> None:
    if not await done:
        raise _not_parked(name)


def _parse(name: str) -> tuple[Literal["event", "job"], int]:
    if match := NAME.fullmatch(name):
        return ("event" if match[1] == "event" else "job"), int(match[2])
    raise typer.BadParameter(f"{name!r} is not a name like event-3 or job-7: `parked list` tells them")


def _not_parked(name: str) -> typer.BadParameter:
    return typer.BadParameter(f"{name} is not parked, or not any more")


def _without_content(whole: dict[str, Any]) -> dict[str, JsonValue]:
    """The attributes that carry no personal data by contract, and of all others the shape alone."""
    return {name: value if name in ENVELOPE else _shape(value) for name, value in whole.items()}


def _shape(value: JsonValue) -> JsonValue:
    match value:
        case dict():
            return {name: _shape(one) for name, one in value.items()}
        case list():
            return [_shape(one) for one in value]
        case str():
            return value if _is_id(value) else f"(text, {len(value)} characters)"
        case bool() | None:
            return value
        case _:
            return "(number)"


def _is_id(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False

"""Parked events tried again as the service itself would apply them, in order within their subject."""

import typer
from sqlalchemy.ext.asyncio import AsyncEngine

from services.cli.projections import projections_of
from shared.bus.applying import Projection
from shared.bus.parking import (
    Parked,
    find_parked,
    first_parked,
    hold_subject,
    note_failed_try,
    reason_of,
    settle,
)
from shared.bus.trace import trace_of
from shared.contracts.envelope import CloudEvent
from shared.database.errors import is_passing
from shared.parked_actions import Reason
from shared.tracing import tracing


async def retry(service: str, engine: AsyncEngine, number: int, reason: Reason) -> None:
    """The event and those of its subject behind it, also what arrives meanwhile, until one fails again.

    Each is applied and settled in a transaction of its own, so that a crash leaves the rest as it was.
    """
    async with engine.connect() as connection:
        asked = await find_parked(connection, number)
    waiting = asked and await _first(engine, asked)
    if asked is None or waiting is None or waiting.id > number:
        raise typer.BadParameter(f"event-{number} is not parked, or not any more")
    if waiting.id < number:
        raise typer.BadParameter(f"event-{waiting.id} of the same subject waits before it: begin there")
    projection = _projection(service, asked.projection)
    while waiting is not None:
        if not await _apply(engine, projection, waiting, reason):
            raise typer.Exit(1)
        waiting = await _first(engine, asked)


async def _first(engine: AsyncEngine, like: Parked) -> Parked | None:
    """Waits for a reader that is about to park more of the subject."""
    async with engine.begin() as connection:
        await hold_subject(connection, like.projection, like.subject)
        return await first_parked(connection, like.projection, like.subject)


async def _apply(engine: AsyncEngine, projection: Projection, parked: Parked, reason: Reason) -> bool:
    try:
        async with engine.begin() as connection:
            await hold_subject(connection, parked.projection, parked.subject)
            if not await settle(connection, parked.id, "retried", reason):
                typer.echo(f"event-{parked.id}: somebody else settled it meanwhile", err=True)
                return False
            event = CloudEvent.model_validate(parked.event)
            with tracing(trace_of(event)):
                await projection.apply(connection, [event])
    except Exception as error:
        typer.echo(f"event-{parked.id}: still not applied: {reason_of(error)}", err=True)
        if not is_passing(error):
            async with engine.begin() as connection:
                await note_failed_try(connection, parked.id, error, reason)
        return False
    typer.echo(f"event-{parked.id}: applied")
    return True


def _projection(service: str, name: str) -> Projection:
    """The projection as the service itself runs it."""
    for projection in projections_of(service):
        if projection.name == name:
            return projection
    raise typer.BadParameter(f"{service} has no projection {name!r}")

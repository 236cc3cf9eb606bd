"""Parked events: looked at, tried again, or given up on, with who and why on record."""

import getpass
import json

import typer
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.cli.opening import opened
from services.cli.projections import projections_of
from shared.bus.applying import Projection
from shared.bus.parking import Parked, list_parked, note_failed_try, reason_of, settle
from shared.contracts.envelope import CloudEvent
from shared.database.errors import is_passing


async def show_list(service: str) -> None:
    async with opened(service) as data, data.engine.connect() as connection:
        waiting = await list_parked(connection)
    for one in waiting:
        typer.echo(
            f"{one.id:6}  {one.parked_at:%Y-%m-%d %H:%M}  {one.projection}  position {one.position}  "
            f"{one.type}  {one.subject}\n        {one.reason}"
        )
    typer.echo(f"{len(waiting)} waiting")


async def show_one(service: str, number: int) -> None:
    async with opened(service) as data, data.engine.connect() as connection:
        typer.echo(json.dumps((await _find(connection, number)).event, indent=2))


async def retry(service: str, number: int, why: str) -> None:
    """The event and those of its subject behind it, in the order they were parked, until one fails again."""
    async with opened(service) as data:
        async with data.engine.connect() as connection:
            first = await _find(connection, number)
            waiting = [
                one for one in await list_parked(connection, first.projection) if one.subject == first.subject
            ]
        if waiting[0].id != number:
            raise typer.BadParameter(
                f"event {waiting[0].id} of the same subject waits before it: begin there"
            )
        projection = _projection(service, first.projection)
        failed = False
        for one in waiting:
            failed = not await _apply(data.engine, projection, one, why)
            if failed:
                break
    if failed:
        raise typer.Exit(1)


async def _apply(engine: AsyncEngine, projection: Projection, parked: Parked, why: str) -> bool:
    try:
        async with engine.begin() as connection:
            if not await settle(connection, parked.id, how="retried", by=getpass.getuser(), why=why):
                typer.echo(f"{parked.id}: somebody else settled it meanwhile", err=True)
                return False
            await projection.apply(connection, [CloudEvent.model_validate(parked.event)])
    except Exception as error:
        reason = reason_of(error)
        typer.echo(f"{parked.id}: still not applied: {reason}", err=True)
        if not is_passing(error):
            async with engine.begin() as connection:
                await note_failed_try(connection, parked.id, reason)
        return False
    typer.echo(f"{parked.id}: applied")
    return True


async def discard(service: str, number: int, why: str) -> None:
    async with opened(service) as data, data.engine.begin() as connection:
        await _find(connection, number)
        await settle(connection, number, how="discarded", by=getpass.getuser(), why=why)
    typer.echo(f"{number}: discarded")


async def _find(connection: AsyncConnection, number: int) -> Parked:
    for one in await list_parked(connection):
        if one.id == number:
            return one
    raise typer.BadParameter(f"no parked event {number} waits")


def _projection(service: str, name: str) -> Projection:
    """The projection as the service itself runs it."""
    for projection in projections_of(service):
        if projection.name == name:
            return projection
    raise typer.BadParameter(f"{service} has no projection {name!r}")

"""Parked events: looked at, tried again, or given up on, with who and why on record."""

import getpass
import json

import typer
from sqlalchemy.ext.asyncio import AsyncConnection

from services.cli.opening import opened
from services.cli.projections import projections_of
from shared.bus.parking import Parked, list_parked, reason_of, settle
from shared.bus.projection import Projection
from shared.contracts.envelope import CloudEvent


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
    """The event and those of its subject behind it, in order, until one fails again."""
    async with opened(service) as data:
        async with data.engine.connect() as connection:
            first = await _find(connection, number)
            waiting = [
                one
                for one in await list_parked(connection, first.projection)
                if one.subject == first.subject and one.position >= first.position
            ]
        earlier = await _earlier(service, first)
        if earlier:
            raise typer.BadParameter(f"event {earlier} of the same subject waits before it: begin there")
        projection = _projection(service, first.projection)
        for one in waiting:
            event = CloudEvent.model_validate(one.event)
            try:
                async with data.engine.begin() as connection:
                    await settle(connection, one.id, how="retried", by=getpass.getuser(), why=why)
                    await projection.apply(connection, [event])
            except Exception as error:
                typer.echo(f"{one.id}: still not applied: {reason_of(error)}", err=True)
                raise typer.Exit(1) from None
            typer.echo(f"{one.id}: applied")


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


async def _earlier(service: str, first: Parked) -> int | None:
    async with opened(service) as data, data.engine.connect() as connection:
        before = [
            one.id
            for one in await list_parked(connection, first.projection)
            if one.subject == first.subject and one.position < first.position
        ]
    return before[0] if before else None


def _projection(service: str, name: str) -> Projection:
    """The projection as the service itself runs it."""
    for projection in projections_of(service):
        if projection.name == name:
            return projection
    raise typer.BadParameter(f"{service} has no projection {name!r}")

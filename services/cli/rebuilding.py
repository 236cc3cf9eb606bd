"""Read models made anew from the log while the service runs, or only compared with it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import typer

from services.cli.opening import Opened, opened, owner_url_of
from services.cli.projections import projections_of
from services.participants.bulk import in_bulk
from services.participants.rebuild import DerivedRows
from shared.backbone import HTTP_SECONDS
from shared.bus.applying import Projection
from shared.bus.feed import HttpFeed
from shared.bus.rebuilding import CannotRebuild, Followed, ReadModel, Report, rebuild
from shared.database.errors import AWAY, is_passing
from shared.web.service_client import OwnToken, ServiceTokens, asking_auth

DIFFERS, NOT_DONE = 1, 3
"""Exit codes: a dry run found differences; a rebuild could not be done, and nothing was changed."""
SAY_EVERY = 10_000
"""Events between two words of progress."""


async def rebuild_service(service: str, name: str | None, *, dry_run: bool) -> None:
    differs = False
    for projection in _rebuildable(service, name):
        async with opened(service) as data, _read_model(service, data, projection) as model:
            try:
                report = await rebuild(owner_url_of(service), model, dry_run=dry_run)
            except CannotRebuild as refused:
                _give_up(projection, str(refused))
            except AWAY as error:
                if not is_passing(error):
                    raise
                _give_up(projection, f"The database broke it off: {type(error).__name__}.")
        _tell(projection, report, dry_run=dry_run)
        differs |= any(report.values())
    if dry_run and differs:
        raise typer.Exit(DIFFERS)


def _rebuildable(service: str, name: str | None) -> list[Projection]:
    able = {projection.name: projection for projection in projections_of(service) if projection.tables}
    if not able:
        raise typer.BadParameter(f"{service} keeps no rows that follow from the log of another service")
    if name is None:
        return list(able.values())
    if name not in able:
        raise typer.BadParameter(f"{name!r} is not one of {', '.join(able)}")
    return [able[name]]


@asynccontextmanager
async def _read_model(service: str, data: Opened, projection: Projection) -> AsyncIterator[ReadModel]:
    if service == "participants":
        with in_bulk() as means:
            yield DerivedRows(means, _say_now_and_then)
        return
    settings, publisher = data.settings, projection.publisher
    if publisher not in settings.feed_urls:
        raise typer.BadParameter(f"CHECK_DATA_FEED_URLS does not say where {publisher} serves its events")
    async with httpx.AsyncClient(timeout=HTTP_SECONDS) as http:
        secret = settings.service_secret.get_secret_value()
        tokens = ServiceTokens(asking_auth(service, secret, settings.auth_url, http))
        async with httpx.AsyncClient(auth=OwnToken(tokens, publisher), timeout=HTTP_SECONDS) as client:
            yield Followed(
                projection,
                HttpFeed(settings.feed_urls[publisher], client),
                partitions=settings.bus_partitions,
                batch=settings.projection_batch,
            )


def _say_now_and_then(what: str, count: int) -> None:
    if count % SAY_EVERY == 0:
        typer.echo(f"{count:,} {what}")


def _tell(projection: Projection, report: Report, *, dry_run: bool) -> None:
    typer.echo(f"{projection.name}: {'compared with the log' if dry_run else 'made anew from the log'}")
    for table, rows in report.items():
        typer.echo(
            f"  {table}: {rows.same:,} the same, {rows.added:,} added, {rows.changed:,} changed, "
            f"{rows.removed:,} removed"
        )


def _give_up(projection: Projection, why: str) -> None:
    typer.echo(f"Error: {projection.name} is as it was. {why}", err=True)
    raise typer.Exit(NOT_DONE)

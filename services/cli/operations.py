"""What operators do to one service's data from a shell."""

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path

import typer

from services.access.audit.chain import BrokenChain, verify_chain
from services.access.domain.refusals import Refused
from services.access.handlers import bootstrap_staff as bootstrap
from services.cli.opening import opened, owner_url_of
from services.cli.told import database_name
from services.manage_ects import ndjson
from services.manage_ects.domain.history import history
from services.participants.backfill import BackfillReport, backfill
from services.participants.bulk import in_bulk
from shared.clock import london_day, system_clock
from shared.contracts.roles import Role
from shared.database.migrate import migrate
from shared.database.provision import provision

ADMIN, PASSWORD = "CHECK_DATA_ADMIN_DATABASE_URL", "CHECK_DATA_DATABASE_PASSWORD"
SAY_EVERY = 10_000
"""Lines or participants between two words of progress."""


def migrate_service(service: str) -> None:
    asyncio.run(migrate(service, owner_url_of(service)))
    typer.echo(f"{service}: the schema is up to date")


async def provision_services(services: Sequence[str]) -> None:
    """Databases and roles of a first installation, on the server that CHECK_DATA_ADMIN_DATABASE_URL names."""
    missing = [name for name in (ADMIN, PASSWORD) if not os.environ.get(name)]
    if missing:
        raise typer.BadParameter(f"{' and '.join(missing)} not set")
    for service in services:
        await provision(os.environ[ADMIN], service, database_name(service), os.environ[PASSWORD])
        typer.echo(f"{service}: the database and its roles are there")


async def bootstrap_staff(full_name: str, email: str, role: str) -> None:
    staff = [known.value for known in Role if known.is_staff]
    if role not in staff:
        raise typer.BadParameter(f"the role is one of {', '.join(staff)}")
    async with opened("access") as access:
        try:
            await bootstrap(access.store, full_name=full_name, email=email, role=Role(role))
        except Refused as refused:
            raise typer.BadParameter(str(refused)) from None
    typer.echo(f"{email} can sign in as {Role(role).label}")


def write_history_file(participants: int, seed: int, out: Path) -> None:
    with out.open("w") as file:
        events = ndjson.write(history(seed, participants, london_day(system_clock())), file)
    typer.echo(f"{out}: {events:,} events of {participants:,} participants")


async def backfill_file(file: Path) -> None:
    """Ends with code 1 when some lines are bad: they are listed and parked, and the others are in."""
    said = 0

    def progress(report: BackfillReport) -> None:
        nonlocal said
        if report.lines - said >= SAY_EVERY:
            said = report.lines
            typer.echo(f"{report.lines:,} lines read, {report.derived:,} participants derived")

    async with opened("participants") as data:
        # A byte that is no UTF-8 stays one, so that its line is bad and not taken with a wrong letter.
        with file.open(encoding="utf-8", errors="surrogateescape") as lines, in_bulk() as means:
            report = await backfill(data.engine, lines, means=means, progress=progress)
    for bad in report.bad_lines:
        typer.echo(f"line {bad.number}: {bad.reason}", err=True)
    typer.echo(
        f"{report.lines:,} lines: {report.accepted:,} taken in, {report.duplicates:,} known already, "
        f"{report.parked:,} parked"
    )
    if report.parked:
        raise typer.Exit(1)


async def verify_audit() -> None:
    async with opened("access") as access:
        try:
            entries = await verify_chain(access.engine)
        except BrokenChain as broken:
            typer.echo(f"Error: {broken}. Compare with a backup.", err=True)
            raise typer.Exit(1) from None
    typer.echo(f"The audit is whole: {entries:,} entries")

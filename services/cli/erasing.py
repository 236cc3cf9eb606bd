"""`check-data erase`: a participant is taken out of the log."""

from uuid import UUID

import typer

from services.cli.opening import owner_url_of
from services.participants.erasure import NotErased, erase
from shared.database.engine import create_engine
from shared.parked_actions import Reason


async def erase_participant(participant_id: str, reason: Reason) -> None:
    """Ends with 1 when it cannot be done (yet)."""
    try:
        asked = UUID(participant_id)
    except ValueError:
        raise typer.BadParameter(f"{participant_id!r} is no ID of a participant") from None
    engine = create_engine(owner_url_of("participants"), pool_size=1)
    try:
        async with engine.begin() as connection:
            erased = await erase(connection, asked, reason)
    except NotErased as why:
        typer.echo(f"Error: {why}", err=True)
        raise typer.Exit(1) from None
    finally:
        await engine.dispose()
    typer.echo(f"{asked}: {erased.events} events written over, and {erased.parked} parked ones")
    typer.echo("Copies are on the bus and in files of exports for their days, and in backups until they go.")

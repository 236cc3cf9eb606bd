"""`check-data erase` and `check-data access erase`: somebody is taken out of the log."""

from collections.abc import Sequence
from contextlib import aclosing
from uuid import UUID

import typer

from services.access import erasure
from services.access.publishing import CODEC, PUBLICATION
from services.cli.opening import opened, owner_url_of
from services.participants.erasure import NotErased, erase
from shared.bus.client import BUS_AWAY, open_client
from shared.bus.publication import bus_stream, partition_of
from shared.bus.stream import BusStream
from shared.clock import system_clock
from shared.database.engine import create_engine
from shared.event_store import EventStore
from shared.parked_actions import Reason
from shared.settings import ServiceSettings


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


async def erase_person(who: str, reason: Reason) -> None:
    """Somebody who had access. Ends with 1 when it cannot be done (yet), or the bus could not be told."""
    engine = create_engine(owner_url_of("access"), pool_size=1)
    store = EventStore(engine, CODEC, system_clock)
    try:
        async with store.transaction() as transaction:
            person_id = await erasure.find_person(transaction.connection, who)
            if person_id is None:
                raise erasure.NotErased("nobody with this ID or address is registered")
            erased = await erasure.erase(transaction, person_id, reason, system_clock())
    except erasure.NotErased as why:
        typer.echo(f"Error: {why}", err=True)
        raise typer.Exit(1) from None
    finally:
        await store.close()
        await engine.dispose()
    typer.echo(f"{person_id}: {erased.events} events written over")
    async with opened("access") as access:  # which rings for the relay: auth is told
        await _take_off_the_bus(access.settings, erased.stream, erased.positions)
    typer.echo("Auth forgets them when it has read of it, and in backups they are until those go.")


async def _take_off_the_bus(settings: ServiceSettings, stream: str, positions: Sequence[int]) -> None:
    key = bus_stream(PUBLICATION.name, partition_of(stream, settings.bus_partitions))
    async with aclosing(open_client(settings.redis_url.get_secret_value())) as redis:
        try:
            await BusStream(redis, key).forget(positions)
        except BUS_AWAY:
            typer.echo(
                "Error: the bus does not answer. Run it again when it does: it names them still.", err=True
            )
            raise typer.Exit(1) from None

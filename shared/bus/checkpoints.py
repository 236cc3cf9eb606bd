"""How far a projection has read. Moves in the transaction that writes its rows, and only forward."""

from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.bus.tables import checkpoints


class LostRace(Exception):
    """Another process moved the checkpoint: this one must read anew from there."""


async def load_checkpoint(connection: AsyncConnection, projection: str, partition: int) -> int:
    """The position up to which everything is applied; 0 at the very start."""
    await connection.execute(
        insert(checkpoints)
        .values(projection=projection, partition=partition, position=0)
        .on_conflict_do_nothing()
    )
    query = select(checkpoints.c.position).where(
        checkpoints.c.projection == projection, checkpoints.c.partition == partition
    )
    return await connection.scalar(query) or 0


async def checkpoint_moved_at(connection: AsyncConnection, projection: str, partition: int) -> datetime:
    """When it last moved, or was made. Raises when it was never loaded."""
    query = select(checkpoints.c.updated_at).where(
        checkpoints.c.projection == projection, checkpoints.c.partition == partition
    )
    moved_at: datetime = (await connection.execute(query)).scalar_one()
    return moved_at


async def move_checkpoint(
    connection: AsyncConnection, projection: str, partition: int, *, old: int, new: int
) -> None:
    """Move from old to new, or raise LostRace. Locks the checkpoint until the transaction ends."""
    moved = await connection.execute(
        update(checkpoints)
        .where(
            checkpoints.c.projection == projection,
            checkpoints.c.partition == partition,
            checkpoints.c.position == old,
        )
        .values(position=new, updated_at=func.clock_timestamp())
    )
    if moved.rowcount != 1:
        raise LostRace(projection)

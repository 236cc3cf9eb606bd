"""Who writes what, one at a time: advisory locks that end with the transaction.

Always in this order: deriving, writing, keeping. So nobody waits in a circle.
"""

import zlib

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

_KEEPING = zlib.crc32(b"participants: keeping")
_DERIVING = zlib.crc32(b"participants: deriving")
_WRITING = zlib.crc32(b"participants: writing")


async def keeping(connection: AsyncConnection) -> None:
    """From here to the end of the transaction nobody else adds to the log or to what is due."""
    await connection.execute(select(func.pg_advisory_xact_lock(_KEEPING)))


async def deriving(connection: AsyncConnection) -> None:
    """From here to the end of the transaction nobody else is at work on the read model."""
    await connection.execute(select(func.pg_advisory_xact_lock(_DERIVING)))


async def writing(connection: AsyncConnection) -> None:
    """From here to the end of the transaction nobody else writes the read model."""
    await connection.execute(select(func.pg_advisory_xact_lock(_WRITING)))

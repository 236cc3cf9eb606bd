"""Links and sessions that are over go after a while. What happened with them stays in the log, by ID."""

from datetime import datetime

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncEngine

from services.auth.tables import links, sessions


async def forget_what_is_over(engine: AsyncEngine, before: datetime) -> None:
    """before: longer ago than any link or session can be in force."""
    async with engine.begin() as connection:
        await connection.execute(delete(links).where(links.c.issued_at < before))
        await connection.execute(delete(sessions).where(sessions.c.ended_at < before))

"""What operators did about what is parked: who, when, why. It is only ever added to."""

from dataclasses import dataclass
from typing import Literal

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

About = Literal["event", "job"]
Action = Literal["shown", "retried", "discarded"]

RECORD = text("""
    INSERT INTO parked_actions (about, number, action, by, why) VALUES (:about, :number, :action, :by, :why)
""")


@dataclass(frozen=True, slots=True)
class Reason:
    """by: the operator. why: in their words."""

    by: str
    why: str


async def record_action(
    connection: AsyncConnection, about: About, number: int, action: Action, reason: Reason
) -> None:
    """In the transaction of the action itself."""
    await connection.execute(
        RECORD, {"about": about, "number": number, "action": action, "by": reason.by, "why": reason.why}
    )

"""Whom access has erased, auth forgets: name, address, browsers, second factor, and what was sent to them.

Links and sessions hold IDs, and go when their time is over; events hold nothing else.
"""

from typing import Final
from uuid import UUID

from sqlalchemy import delete, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.auth.tables import asking_links, devices, people, second_factors, wrong_codes
from shared.email.record import sent_emails

TYPED: Final = text(
    "DELETE FROM work WHERE data ->> 'email' IS NOT NULL AND lower(data ->> 'email') = lower(:email)"
)
"""Somebody asks for a link, and it is not looked at yet."""
PARKED: Final = text("""
    UPDATE parked_events SET event = '{}'
    WHERE subject = :subject AND settled_at IS NOT NULL AND event::text <> '{}'
""")
"""What still waits for the person would keep their erasure waiting, too."""


async def forget_person(connection: AsyncConnection, person_id: UUID) -> None:
    """In the projection's transaction. Raises nothing for somebody who is not known."""
    query = select(people.c.email, people.c.email_key).where(people.c.person_id == person_id)
    known = (await connection.execute(query)).one_or_none()
    if known is not None:
        await connection.execute(delete(sent_emails).where(sent_emails.c.address == known.email))
        await connection.execute(delete(asking_links).where(asking_links.c.email_key == known.email_key))
        await connection.execute(TYPED, {"email": known.email})
    for table in (devices, second_factors, wrong_codes, people):
        await connection.execute(delete(table).where(table.c.person_id == person_id))
    await connection.execute(PARKED, {"subject": str(person_id)})

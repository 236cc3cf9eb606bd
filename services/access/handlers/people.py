"""People: found by email address or registered, and the contacts of lead providers."""

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import select

from services.access.domain.events import Event
from services.access.domain.grant import GiveGrant
from services.access.domain.person import ChangeDetails, RegisterPerson
from services.access.domain.person_details import email_address, full_name
from services.access.domain.vocabulary import Actor, GrantId, OrganisationKind, PersonId, Role
from services.access.handlers.deciding import PERSON, carry_out, deciding
from services.access.handlers.grants import give_grant
from services.access.queries.organisations import must_be
from services.access.tables import people
from shared.clock import london_day
from shared.event_store import EventStore, Transaction


async def register_person(
    transaction: Transaction[Event],
    *,
    name: str,
    email: str,
    by: PersonId | None,
    at: datetime,
    staff_say_so: bool,
) -> PersonId:
    """Return whose email address this is, registering the person when it is nobody's yet.

    Held until the transaction ends. staff_say_so: the name replaces another one that is known; what a user
    types does not, since the person may be known elsewhere. Raises MalformedEmail or MalformedName.
    """
    address, name = email_address(email), full_name(name)
    query = select(people.c.person_id).where(people.c.email_key == address.key).with_for_update()
    known: UUID | None = await transaction.connection.scalar(query)
    if known is None:
        person_id = PersonId(uuid4())
        register = RegisterPerson(person_id, name, address.address, by, at)
        await carry_out(transaction, PERSON, f"person-{person_id}", register, by)
        return person_id
    if staff_say_so:
        change = ChangeDetails(name, address.address, by, at)
        await carry_out(transaction, PERSON, f"person-{known}", change, by)
    return PersonId(known)


async def add_lead_provider_contact(
    store: EventStore[Event],
    *,
    by: Actor,
    at: datetime,
    name: str,
    email: str,
    lead_provider_id: UUID,
) -> PersonId:
    """Give somebody the role in which they answer for a lead provider. Raises AlreadyGranted."""

    async def act(transaction: Transaction[Event]) -> PersonId:
        provider = await must_be(transaction.connection, lead_provider_id, OrganisationKind.LEAD_PROVIDER)
        person_id = await register_person(
            transaction, name=name, email=email, by=by.person_id, at=at, staff_say_so=True
        )
        await give_grant(
            transaction,
            GiveGrant(
                grant_id=GrantId(uuid4()),
                person_id=person_id,
                role=Role.LEAD_PROVIDER,
                organisation_id=provider,
                request_id=None,
                agreements=(),
                by=by.person_id,
                at=at,
                today=london_day(at),
            ),
        )
        return person_id

    return await deciding(store, act)

"""The first staff, put in by whoever installs the service: they can reach the database itself."""

from uuid import UUID, uuid4

from services.access.domain.events import Event
from services.access.domain.grant import GiveGrant
from services.access.domain.refusals import NotAStaffRole
from services.access.domain.vocabulary import GrantId, Role
from services.access.handlers.deciding import deciding
from services.access.handlers.grants import give_grant, is_granted
from services.access.handlers.people import register_person
from shared.clock import Clock, london_day, system_clock
from shared.contracts.roles import Role as ToldRole
from shared.event_store import EventStore, Transaction


async def bootstrap_staff(
    store: EventStore[Event],
    *,
    full_name: str,
    email: str,
    role: ToldRole,
    clock: Clock = system_clock,
) -> UUID:
    """Register a person with a role of DfE staff, and return their ID. Again, it changes nothing more.

    Open at any time, not only while there is no administrator: who may run it owns the database, and a
    lost administrator must be replaceable. Like every grant it is in the audit, as given by nobody.
    Raises NotAStaffRole, MalformedEmail or MalformedName.
    """
    staff_role, at = Role(role), clock()
    if not staff_role.is_staff:
        raise NotAStaffRole

    async def act(transaction: Transaction[Event]) -> UUID:
        person_id = await register_person(
            transaction, name=full_name, email=email, by=None, at=at, staff_say_so=True
        )
        if not await is_granted(transaction.connection, person_id, staff_role, None):
            await give_grant(
                transaction,
                GiveGrant(
                    grant_id=GrantId(uuid4()),
                    person_id=person_id,
                    role=staff_role,
                    organisation_id=None,
                    request_id=None,
                    agreements=(),
                    by=None,
                    at=at,
                    today=london_day(at),
                ),
            )
        return person_id

    return await deciding(store, act)

"""How a command is carried out: in a transaction, and again when somebody else was faster."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeVar
from uuid import UUID

from services.access.domain import agreement, grant, person, request
from services.access.domain.coverage import Agreement
from services.access.domain.events import Event
from services.access.domain.grant_state import Grant
from services.access.rows import apply
from shared.event_store import ConcurrentAppend, Decider, EventStore, Recorded, Transaction

Result = TypeVar("Result")
Command = TypeVar("Command")
State = TypeVar("State")

ATTEMPTS: Final = 5

REQUEST: Decider[request.Command, request.AccessRequest | None, Event] = Decider(
    None, request.decide, request.evolve
)
AGREEMENT: Decider[agreement.Command, Agreement | None, Event] = Decider(
    None, agreement.decide, agreement.evolve
)
GRANT: Decider[grant.Command, Grant | None, Event] = Decider(None, grant.decide, grant.evolve)
PERSON: Decider[person.Command, person.Person | None, Event] = Decider(None, person.decide, person.evolve)


async def deciding(
    store: EventStore[Event], act: Callable[[Transaction[Event]], Awaitable[Result]]
) -> Result:
    """Run act in a transaction; on what is there then, up to 5 times, while others append meanwhile.

    Like shared.event_store.execute, for what touches several streams at once.
    """
    for _ in range(ATTEMPTS - 1):
        try:
            async with store.transaction() as transaction:
                return await act(transaction)
        except ConcurrentAppend:
            continue
    async with store.transaction() as transaction:
        return await act(transaction)


async def carry_out(
    transaction: Transaction[Event],
    decider: Decider[Command, State, Event],
    stream: str,
    command: Command,
    by: UUID | None,
) -> Sequence[Recorded[Event]]:
    """Load, decide, append, and write the rows. by: the person; None for the system itself."""
    loaded = await transaction.load(stream)
    new = decider.decide(command, decider.state_after(loaded.events))
    actor = None if by is None else str(by)
    recorded = await transaction.append(stream, new, expected=loaded.version, actor=actor)
    await apply(transaction.connection, recorded)
    return recorded

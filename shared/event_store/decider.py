"""The usual way to change something: load a stream, decide, append, and update the rows with it."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Generic, TypeVar

from shared.event_store.append import ConcurrentAppend
from shared.event_store.recorded import Recorded
from shared.event_store.store import EventStore, Transaction

Command = TypeVar("Command")
State = TypeVar("State")
Event = TypeVar("Event")

ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class Decider(Generic[Command, State, Event]):
    """Pure functions. decide raises a domain error when the command is refused."""

    initial: State
    decide: Callable[[Command, State], Sequence[Event]]
    evolve: Callable[[State, Event], State]

    def state_after(self, events: Sequence[Event]) -> State:
        return reduce(self.evolve, events, self.initial)


async def execute(
    store: EventStore[Event],
    decider: Decider[Command, State, Event],
    stream: str,
    command: Command,
    *,
    actor: str | None,
    along: Callable[[Transaction[Event], Sequence[Recorded[Event]]], Awaitable[None]],
) -> Sequence[Recorded[Event]]:
    """Decide on the stream as it is and append what follows. Returns the new events.

    along: rows and work that commit together with the events (a service's own read models).
    When somebody else appended meanwhile, decides again on what is there then, up to 5 times; then
    raises ConcurrentAppend. Domain errors of decide pass through.
    """
    for attempt in range(1, ATTEMPTS + 1):
        try:
            async with store.transaction() as transaction:
                loaded = await transaction.load(stream)
                new = decider.decide(command, decider.state_after(loaded.events))
                recorded = await transaction.append(stream, new, expected=loaded.version, actor=actor)
                await along(transaction, recorded)
                return recorded
        except ConcurrentAppend:
            if attempt == ATTEMPTS:
                raise
    raise AssertionError("unreachable")

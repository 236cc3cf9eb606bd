"""given(decider, events).when(command).then(events), or .then_raises(Refusal)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import pytest

from services.access.domain.events import Event
from services.access.domain.refusals import Refused
from shared.event_store import Decider

Command = TypeVar("Command")
State = TypeVar("State")


@dataclass(frozen=True)
class Decided(Generic[Command, State]):
    decider: Decider[Command, State, Event]
    past: Sequence[Event]
    command: Command

    def then(self, *expected: Event) -> None:
        decided = self.decider.decide(self.command, self.decider.state_after(self.past))
        assert list(decided) == list(expected)
        self.decider.state_after([*self.past, *decided])  # and what follows can be lived with

    def then_raises(self, refusal: type[Refused]) -> None:
        with pytest.raises(refusal) as raised:
            self.decider.decide(self.command, self.decider.state_after(self.past))
        assert raised.type is refusal


@dataclass(frozen=True)
class Given(Generic[Command, State]):
    decider: Decider[Command, State, Event]
    past: Sequence[Event]

    def when(self, command: Command) -> Decided[Command, State]:
        return Decided(self.decider, self.past, command)


def given(decider: Decider[Command, State, Event], *past: Event) -> Given[Command, State]:
    return Given(decider, past)

"""Sides measured in turns, so that what else the machine does meets all of them alike."""

import statistics
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

Side = Callable[[], Awaitable[float]]
"""One round of one side. Returns its rate, or its seconds: the table says which."""


@dataclass(frozen=True, slots=True)
class Measured:
    """rounds: by side, in the order of the rounds."""

    rounds: Mapping[str, Sequence[float]]

    def median(self, side: str) -> float:
        return statistics.median(self.rounds[side])

    def ratio(self, side: str, to: str) -> float:
        """The median of the ratios within each round."""
        return statistics.median(a / b for a, b in zip(self.rounds[side], self.rounds[to], strict=True))


async def in_turns(sides: Mapping[str, Side], repeats: int) -> Measured:
    """A round of warming up that is not counted, then so many rounds; each starts with another side."""
    rounds: dict[str, list[float]] = {name: [] for name in sides}
    names = list(sides)
    for turn in range(repeats + 1):
        shift = turn % len(names)
        for name in names[shift:] + names[:shift]:
            result = await sides[name]()
            if turn:
                rounds[name].append(result)
    return Measured(rounds)


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least this share of the values does not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -(-int(len(ordered) * share * 1000) // 1000) - 1)]

"""What store, relay and projection must show, in lists and dictionaries: all of it fits in one's head."""

import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from shared.event_store import Recorded
from tests.integration.shared.test_bus import Counted

POISON = 13
"""The number that the projection of test_bus refuses."""


@dataclass
class Model:
    """streams: what was committed. spans: between which two moments each event was written."""

    streams: dict[str, list[Counted]] = field(default_factory=lambda: defaultdict(list))
    spans: dict[UUID, tuple[int, int]] = field(default_factory=dict)
    moments: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def version(self, stream: str) -> int:
        return len(self.streams[stream])

    def keep(self, recorded: Sequence[Recorded[Counted]], begun: int) -> None:
        """These were committed by now. begun: a moment before they were written."""
        ended = next(self.moments)
        for one in sorted(recorded, key=lambda one: one.version):
            self.streams[one.stream].append(one.event)
            assert one.version == self.version(one.stream)
            self.spans[one.event_id] = (begun, ended)

    def must_be(self, log: Sequence[Recorded[Counted]]) -> None:
        """The log, by position: each event once, each stream in order, and nobody before what came first."""
        assert [one.position for one in log] == list(range(1, len(self.spans) + 1))
        assert {one.event_id for one in log} == self.spans.keys()
        streams: dict[str, list[Counted]] = defaultdict(list)
        latest = 0
        for one in log:
            streams[one.stream].append(one.event)
            assert one.version == len(streams[one.stream])
            begun, ended = self.spans[one.event_id]
            assert ended > latest, "an event stands behind one that was begun after its commit"
            latest = max(latest, begun)
        assert streams == {name: events for name, events in self.streams.items() if events}

    def rows(self) -> dict[str, list[int]]:
        """The fold: of each subject the published numbers, up to the first that is poison."""
        folded = {
            name: list(itertools.takewhile(lambda n: n != POISON, numbers))
            for name, numbers in self._published()
        }
        return {name: numbers for name, numbers in folded.items() if numbers}

    def parked(self) -> dict[str, list[int]]:
        """The poison, and what follows of its subject."""
        return {
            name: numbers[numbers.index(POISON) :] for name, numbers in self._published() if POISON in numbers
        }

    def _published(self) -> Iterator[tuple[str, list[int]]]:
        for name, events in self.streams.items():
            yield name, [event.number for event in events if not event.secret]


def by_subject(pairs: Iterable[tuple[str, int]]) -> dict[str, list[int]]:
    """Numbers of each subject, in their order."""
    found: dict[str, list[int]] = defaultdict(list)
    for subject, number in pairs:
        found[subject].append(number)
    return found

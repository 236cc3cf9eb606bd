"""What was done when, within a trace: told to an exporter where there is one, and free where there is none.

A span has the IDs of shared.tracing, which travel anyway. Its name and attributes are words of the code:
routes, types of events, kinds of jobs. Never give it an ID of a person, an address, a search text or a token.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from types import TracebackType
from typing import Self

from shared.tracing import Trace

Attributes = dict[str, str | int | float | bool]


class Kind(Enum):
    """As OpenTelemetry tells them apart."""

    INTERNAL = "internal"
    SERVER = "server"
    PRODUCER = "producer"
    CONSUMER = "consumer"


@dataclass(slots=True)
class Span:
    """trace: whose span_id is this span's. parent: the span that it is part of. began, ended: ns since 1970.

    links: other spans that led to it, too. One whose name was taken away is not told.
    """

    name: str
    kind: Kind
    trace: Trace
    parent: str | None = None
    links: Sequence[Trace] = ()
    attributes: Attributes = field(default_factory=dict)
    began: int = 0
    ended: int = 0
    failed: bool = False

    def __enter__(self) -> Self:
        self.began = time.time_ns()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, place: TracebackType | None
    ) -> None:
        self.ended = time.time_ns()
        if kind is not None:
            self.failed = True
            self.attributes["error.type"] = kind.__name__  # not its words, which may quote what it was about
        if _Listener.tell is not None and self.name:
            _Listener.tell(self)


class _Untold:
    """Stands for every span while nobody is told. What is set is forgotten."""

    def __init__(self) -> None:
        self.name = ""
        self.parent: str | None = None
        self.failed = False
        self.attributes: Attributes = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None


Told = Span | _Untold
_UNTOLD = _Untold()


class _Listener:
    tell: Callable[[Span], None] | None = None


def tell(exporter: Callable[[Span], None] | None) -> None:
    """From now on each finished span of this process is told to this one; None: to nobody."""
    _Listener.tell = exporter


def are_told() -> bool:
    return _Listener.tell is not None


def span(
    name: str,
    kind: Kind,
    trace: Trace,
    parent: str | None,
    links: Sequence[Trace] = (),
    **attributes: str | int | float | bool,
) -> Told:
    """Use it in a `with` around the work."""
    if _Listener.tell is None:
        return _UNTOLD
    return Span(name, kind, trace, parent, links, attributes)

"""Events to JSON and back, with old schema versions raised to the present one."""

from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any, Generic, TypeVar

import orjson
from pydantic import TypeAdapter

Event = TypeVar("Event")
Json = dict[str, Any]
Upcaster = Callable[[Json], Json]
"""Turns the data of one schema version into the next one's."""


def by_class_name(*classes: type[Event]) -> dict[str, type[Event]]:
    """Names of event classes: the class's own."""
    return {c.__name__: c for c in classes}


class Codec(Generic[Event]):
    """JSON of the events of one service.

    upcasters: for each name, one upcaster for each old version, oldest first; so the present schema
    version of a name is 1 + the number of its upcasters.
    """

    def __init__(
        self, events: Mapping[str, type[Event]], upcasters: Mapping[str, tuple[Upcaster, ...]] | None = None
    ) -> None:
        self._adapters: dict[str, TypeAdapter[Event]] = {name: TypeAdapter(c) for name, c in events.items()}
        self._names = {c: name for name, c in events.items()}
        self._upcasters = dict(upcasters or {})

    def name(self, event: Event) -> str:
        return self._names[type(event)]

    def schema_version(self, name: str) -> int:
        return 1 + len(self._upcasters.get(name, ()))

    def encode(self, event: Event) -> str:
        return self._adapters[self.name(event)].dump_json(event).decode()

    def decode(self, name: str, schema_version: int, data: str) -> Event:
        """Raises KeyError for an unknown name, pydantic's ValidationError for data that do not fit."""
        upcasters = self._upcasters.get(name, ())[schema_version - 1 :]
        raised = orjson.dumps(reduce(_raise, upcasters, orjson.loads(data))) if upcasters else data
        return self._adapters[name].validate_json(raised, by_name=True)


def _raise(data: Json, upcast: Upcaster) -> Json:
    return upcast(data)

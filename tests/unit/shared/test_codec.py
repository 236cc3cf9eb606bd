"""Events become JSON and the same events again, also those written by older versions."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any, NewType
from uuid import UUID

import pytest
from pydantic import ValidationError

from shared.event_store.codec import Codec, by_class_name

PersonId = NewType("PersonId", UUID)


class Colour(StrEnum):
    RED = "red"


@dataclass(frozen=True, slots=True)
class Part:
    name: str
    weight: int | None


@dataclass(frozen=True, slots=True)
class Made:
    by: PersonId
    at: datetime
    on: date
    colours: frozenset[Colour]
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Broken:
    why: str


MADE = Made(
    PersonId(UUID("2f1c7b0e-5b0e-4b8e-9d3e-0d3c1f8f3b11")),
    datetime(2026, 3, 29, 0, 30, 0, 123456, tzinfo=UTC),
    date(2026, 3, 29),
    frozenset({Colour.RED}),
    (Part("Schloß \N{GREEK SMALL LETTER ALPHA} \u2028 \"'", None), Part("", 0)),
)


def test_what_is_read_is_what_was_written() -> None:
    codec: Codec[Made | Broken] = Codec(by_class_name(Made, Broken))
    for event in (MADE, Broken("fell")):
        name = codec.name(event)
        assert name == type(event).__name__
        assert codec.decode(name, codec.schema_version(name), codec.encode(event)) == event


def test_an_old_version_is_raised_step_by_step() -> None:
    def second(data: dict[str, Any]) -> dict[str, Any]:
        return {"reason": data["cause"]}

    def third(data: dict[str, Any]) -> dict[str, Any]:
        return {"why": data["reason"]}

    codec: Codec[Broken] = Codec(by_class_name(Broken), {"Broken": (second, third)})
    assert codec.schema_version("Broken") == 3
    assert codec.decode("Broken", 1, '{"cause": "fell"}') == Broken("fell")
    assert codec.decode("Broken", 2, '{"reason": "fell"}') == Broken("fell")
    assert codec.decode("Broken", 3, '{"why": "fell"}') == Broken("fell")
    with pytest.raises(ValidationError):
        codec.decode("Broken", 3, '{"cause": "fell"}')


def test_what_is_not_known_is_an_error() -> None:
    codec: Codec[Broken] = Codec(by_class_name(Broken))
    with pytest.raises(KeyError):
        codec.decode("Made", 1, "{}")
    with pytest.raises(ValidationError):
        codec.decode("Broken", 1, '{"why": 5}')
    with pytest.raises(KeyError):
        codec.name(MADE)  # type: ignore[arg-type]

"""The reason for which an event is parked tells what is wrong, and nothing about a person."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, TypeAdapter, ValidationError, field_validator

from shared.bus.parking import reason_of
from shared.contracts.envelope import EventRefused, UnknownEventType, from_json
from shared.database.text import storable

SECRET = "zebedee.quill@example.org"


class Named(BaseModel):
    name: str
    age: int

    @field_validator("name")
    @classmethod
    def is_short(cls, name: str) -> str:
        if len(name) > 5:
            raise ValueError(f"{name} is too long")
        return name


def error_of(data: object) -> ValidationError:
    with pytest.raises(ValidationError) as raised:
        Named.model_validate(data)
    return raised.value


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (EventRefused("time: has no offset"), "EventRefused: time: has no offset"),
        (UnknownEventType("a.b.v1"), "UnknownEventType: no contract is known for the event type 'a.b.v1'"),
        (ValueError(f"{SECRET} is not an address"), "ValueError"),
        (KeyError(SECRET), "KeyError"),
        (UnicodeEncodeError("utf-8", SECRET, 0, 1, "surrogates not allowed"), "UnicodeEncodeError"),
        (error_of({"age": 1}), "name: Field required"),
        (error_of({"name": SECRET, "age": 1}), "name: value_error"),
        (error_of({"name": "Zoe", "age": []}), "age: Input should be a valid integer"),
        (error_of(SECRET), "event: Input should be a valid dictionary or instance of Named"),
    ],
)
def test_a_reason_names_the_rule_and_no_value(error: Exception, reason: str) -> None:
    assert reason_of(error) == reason


@given(st.text(st.characters()))
def test_what_is_storable_is_utf8_without_nul_and_the_rest_is_as_it_was(text: str) -> None:
    kept = storable(text)
    assert "\x00" not in kept
    kept.encode()
    if "\x00" not in text and not any("\ud800" <= letter <= "\udfff" for letter in text):
        assert kept == text
    assert storable(kept) == kept


def test_json_with_half_a_character_is_read_and_what_is_no_json_is_refused() -> None:
    anything: TypeAdapter[dict[str, str]] = TypeAdapter(dict[str, str])
    assert from_json(anything, b'{"a": "b"}') == {"a": "b"}
    one: TypeAdapter[dict[str, object]] = TypeAdapter(dict[str, object])
    assert from_json(one, rb'{"a": "\ud800"}') == {"a": "\ud800"}
    for body in (b'{"a"', b"[1]", b"\xff"):
        with pytest.raises(ValueError, match=r"."):
            from_json(anything, body)

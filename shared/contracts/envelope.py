"""The envelope of every event that leaves a service: CloudEvents 1.0 as one JSON document."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError

SequenceText = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,19}$")]
PersonalText = Annotated[str, Field(json_schema_extra={"personalData": True})]
"""Text about a person. The canary scan allows personal data on the bus in fields of this type only."""


class CloudEvent(BaseModel):
    """One event as it travels.

    `sequence` is the publisher's position as a decimal string. `previous` is the sequence of the
    entry before it on the same bus stream ("0" for the first): a reader whose checkpoint is lower
    has missed something. Publishers outside this system may leave it out.
    Source: https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    specversion: Literal["1.0"] = "1.0"
    id: str = Field(min_length=1, max_length=200)
    source: str = Field(min_length=1, max_length=200)
    type: str = Field(min_length=1, max_length=200)
    subject: str = Field(min_length=1, max_length=200)
    time: datetime
    datacontenttype: Literal["application/json"] = "application/json"
    data: dict[str, Any]
    sequence: SequenceText
    previous: SequenceText | None = None
    traceparent: str | None = None
    correlationid: str | None = None
    causationid: str | None = None

    @property
    def position(self) -> int:
        return int(self.sequence)


class PublishedEvent(BaseModel):
    """What one `type` carries in `data`. Unknown fields are ignored, so that publishers can add some."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    type: ClassVar[str]
    subject_field: ClassVar[str]

    @property
    def subject(self) -> str:
        return str(getattr(self, self.subject_field))


class EventRefused(ValueError):
    """This event cannot be applied. str() of it says why, and is kept, logged, shown and answered:

    it names fields and rules, and repeats nothing of what the event holds, which may be about a person.
    """


class UnknownEventType(EventRefused):
    """No contract of the catalogue has this type (or this version of it)."""

    def __init__(self, type_: str) -> None:
        super().__init__(f"no contract is known for the event type {type_!r}")
        self.type = type_


Contract = TypeVar("Contract", bound=PublishedEvent)


class Catalogue:
    """The published events of one publisher, by type."""

    def __init__(self, *contracts: type[PublishedEvent]) -> None:
        self._by_type: Mapping[str, type[PublishedEvent]] = {c.type: c for c in contracts}

    def __iter__(self) -> "Any":
        return iter(self._by_type.values())

    def __contains__(self, type_: object) -> bool:
        return type_ in self._by_type

    def read(self, event: CloudEvent) -> PublishedEvent:
        """Return the event's data as its contract.

        Raises UnknownEventType, or pydantic's ValidationError when the data does not fit.
        """
        contract = self._by_type.get(event.type)
        if contract is None:
            raise UnknownEventType(event.type)
        return contract.model_validate(event.data)


CLOUD_EVENTS: TypeAdapter[list[CloudEvent]] = TypeAdapter(list[CloudEvent])
Read = TypeVar("Read")


def from_json(adapter: TypeAdapter[Read], body: bytes) -> Read:
    """Read JSON, also when a text in it holds half a character (a lone surrogate).

    pydantic's own parser is quick and refuses that, and with it all events of the batch. Raises ValueError:
    JSONDecodeError, or pydantic's ValidationError.
    """
    try:
        return adapter.validate_json(body)
    except ValidationError:
        return adapter.validate_python(json.loads(body))

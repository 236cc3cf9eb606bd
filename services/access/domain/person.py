"""A person: a random identity, with the name and email address that may change."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from services.access.domain.events import (
    Event,
    NamedInRequest,
    PersonDetailsChanged,
    PersonErased,
    PersonRegistered,
)
from services.access.domain.person_details import ERASED_NAME, erased_address
from services.access.domain.refusals import NothingThere
from services.access.domain.vocabulary import PersonId, RequestId


@dataclass(frozen=True, slots=True)
class Person:
    person_id: PersonId
    full_name: str
    email: str
    erased: bool = False


@dataclass(frozen=True, slots=True)
class RegisterPerson:
    """full_name, email: as person_details returns them. by: None at installation."""

    person_id: PersonId
    full_name: str
    email: str
    by: PersonId | None
    at: datetime


@dataclass(frozen=True, slots=True)
class ChangeDetails:
    full_name: str
    email: str
    by: PersonId | None
    at: datetime


@dataclass(frozen=True, slots=True)
class NameInRequest:
    """full_name, email: as person_details returns them."""

    request_id: RequestId
    full_name: str
    email: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ErasePerson:
    operator: str
    why: str
    at: datetime


Command = RegisterPerson | ChangeDetails | NameInRequest | ErasePerson


def decide(command: Command, person: Person | None) -> Sequence[Event]:
    """Registering or erasing somebody again, or changing nothing, does nothing. Raises a Refused.

    Who was erased is nobody who could be named anew: whoever has the address is registered as somebody else.
    """
    match command, person:
        case ErasePerson(operator, why, at), Person(erased=False):
            return [PersonErased(person.person_id, operator, why, at)]
        case ((ChangeDetails() | NameInRequest()), Person(erased=True)):
            raise NothingThere
        case RegisterPerson(), None:
            return [
                PersonRegistered(command.person_id, command.full_name, command.email, command.by, command.at)
            ]
        case ChangeDetails(full_name, email, by, at), Person():
            if (full_name, email) == (person.full_name, person.email):
                return []
            return [PersonDetailsChanged(person.person_id, full_name, email, by, at)]
        case NameInRequest(request_id, full_name, email, at), Person():
            return [NamedInRequest(person.person_id, request_id, full_name, email, at)]
        case ((ChangeDetails() | NameInRequest() | ErasePerson()), None):
            raise NothingThere
    return []


def evolve(person: Person | None, event: Event) -> Person | None:
    """Raises ValueError for an event that cannot be in this place of a person's stream: a bug."""
    match event, person:
        case PersonRegistered(), None:
            return Person(event.person_id, event.full_name, event.email)
        case PersonDetailsChanged(), Person():
            return replace(person, full_name=event.full_name, email=event.email)
        case NamedInRequest(), Person():
            return person
        case PersonErased(person_id), Person():
            return replace(person, full_name=ERASED_NAME, email=erased_address(person_id), erased=True)
    raise ValueError(f"{type(event).__name__} cannot follow in a person's stream")

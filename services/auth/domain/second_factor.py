"""The second factor of a person who can give access to others: enrolled once, reset by somebody else."""

from dataclasses import dataclass
from datetime import datetime

from services.auth.domain.events import (
    PersonId,
    SecondFactorEnrolled,
    SecondFactorEvent,
    SecondFactorReset,
)


class AlreadyEnrolled(Exception):
    """There is a second factor: a new one needs a reset by an administrator first."""


class NotYourself(Exception):
    """Nobody resets their own: whoever took over a session would only have to ask."""


class NothingToReset(Exception):
    """The person has no second factor."""


@dataclass(frozen=True, slots=True)
class Enrol:
    person_id: PersonId
    at: datetime


@dataclass(frozen=True, slots=True)
class Reset:
    person_id: PersonId
    by: PersonId
    at: datetime


SecondFactorCommand = Enrol | Reset


@dataclass(frozen=True, slots=True)
class SecondFactor:
    enrolled: bool = False


def decide(command: SecondFactorCommand, factor: SecondFactor) -> list[SecondFactorEvent]:
    match command:
        case Enrol(person_id, at):
            if factor.enrolled:
                raise AlreadyEnrolled
            return [SecondFactorEnrolled(person_id, at)]
        case Reset(person_id, by, at):
            if by == person_id:
                raise NotYourself
            if not factor.enrolled:
                raise NothingToReset
            return [SecondFactorReset(person_id, by, at)]


def evolve(_factor: SecondFactor, event: SecondFactorEvent) -> SecondFactor:
    return SecondFactor(enrolled=isinstance(event, SecondFactorEnrolled))

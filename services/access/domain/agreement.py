"""The agreement register: recorded, perhaps ended early, and lapsed once its last day is past."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from services.access.domain.coverage import Agreement, Terms
from services.access.domain.events import (
    AgreementEndedEarly,
    AgreementLapsed,
    AgreementRecorded,
    Event,
)
from services.access.domain.refusals import (
    AlreadyEnded,
    AlreadyRecorded,
    DatesReversed,
    NothingThere,
    NotYourStep,
    OutsideTheTerm,
)
from services.access.domain.vocabulary import Actor, AgreementId, Role


@dataclass(frozen=True, slots=True)
class RecordAgreement:
    agreement_id: AgreementId
    terms: Terms
    by: Actor
    at: datetime
    today: date


@dataclass(frozen=True, slots=True)
class EndAgreementEarly:
    """ended_early_on: the first day on which it is no longer in force."""

    ended_early_on: date
    reason: str
    by: Actor
    at: datetime
    today: date


@dataclass(frozen=True, slots=True)
class LetLapse:
    """Time passes. Does nothing to an agreement that runs, or that lapsed before."""

    at: datetime
    today: date


Command = RecordAgreement | EndAgreementEarly | LetLapse


def decide(command: Command, agreement: Agreement | None) -> Sequence[Event]:
    """Raises a Refused."""
    if isinstance(command, RecordAgreement):
        return _record(command, agreement)
    if agreement is None:
        raise NothingThere
    match command:
        case EndAgreementEarly(ended_early_on, reason, by, at, today):
            _must_be_policy(by)
            if agreement.ended_early_on is not None or agreement.lapsed:
                raise AlreadyEnded
            if not agreement.terms.starts_on <= ended_early_on <= agreement.terms.ends_on:
                raise OutsideTheTerm
            ended = AgreementEndedEarly(
                agreement.agreement_id, agreement.terms, ended_early_on, reason, by.person_id, at
            )
            return [ended, *_lapse(replace(agreement, ended_early_on=ended_early_on), at, today)]
        case LetLapse(at, today):
            return _lapse(agreement, at, today)


def _record(command: RecordAgreement, agreement: Agreement | None) -> Sequence[Event]:
    _must_be_policy(command.by)
    if agreement is not None:
        raise AlreadyRecorded
    terms = command.terms
    if terms.ends_on < terms.starts_on:
        raise DatesReversed
    recorded = AgreementRecorded(command.agreement_id, terms, command.by.person_id, command.at)
    return [recorded, *_lapse(Agreement(command.agreement_id, terms), command.at, command.today)]


def _lapse(agreement: Agreement, at: datetime, today: date) -> Sequence[Event]:
    if agreement.lapsed or today <= agreement.last_day:
        return []
    return [AgreementLapsed(agreement.agreement_id, agreement.terms.delivery_partner_id, at)]


def _must_be_policy(by: Actor) -> None:
    if by.role is not Role.POLICY:
        raise NotYourStep


def evolve(agreement: Agreement | None, event: Event) -> Agreement | None:
    """Raises ValueError for an event that cannot be in this place of an agreement's stream: a bug."""
    match event, agreement:
        case AgreementRecorded(agreement_id, terms), None:
            return Agreement(agreement_id, terms)
        case AgreementEndedEarly(), Agreement():
            return replace(agreement, ended_early_on=event.ended_early_on)
        case AgreementLapsed(), Agreement():
            return replace(agreement, lapsed=True)
    raise ValueError(f"{type(event).__name__} cannot follow in an agreement's stream")

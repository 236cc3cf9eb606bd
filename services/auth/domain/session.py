"""A session: one person, and after the choice one role of one organisation, until it ends."""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from services.auth.domain.events import (
    EndReason,
    GrantId,
    LinkId,
    PersonId,
    RoleChosen,
    SessionConfirmed,
    SessionEnded,
    SessionEvent,
    SessionId,
    SessionStarted,
)


class SessionOver(Exception):
    """The session has ended, or never was."""


@dataclass(frozen=True, slots=True)
class StartSession:
    session_id: SessionId
    person_id: PersonId
    link_id: LinkId
    at: datetime


@dataclass(frozen=True, slots=True)
class ConfirmSession:
    """The second factor was right."""

    at: datetime


@dataclass(frozen=True, slots=True)
class ChooseRole:
    """The grant is one that the person holds: the handler has looked."""

    grant_id: GrantId
    role: str
    organisation_id: UUID | None
    at: datetime


@dataclass(frozen=True, slots=True)
class EndSession:
    reason: EndReason
    at: datetime


SessionCommand = StartSession | ConfirmSession | ChooseRole | EndSession


@dataclass(frozen=True, slots=True)
class Session:
    started: SessionStarted | None = None
    over: bool = False


def decide(command: SessionCommand, session: Session) -> list[SessionEvent]:
    started = session.started
    match command:
        case StartSession(session_id, person_id, link_id, at):
            return [] if started else [SessionStarted(session_id, person_id, link_id, at)]
        case ConfirmSession(at):
            if started is None or session.over:
                raise SessionOver
            return [SessionConfirmed(started.session_id, started.person_id, at)]
        case ChooseRole(grant_id, role, organisation_id, at):
            if started is None or session.over:
                raise SessionOver
            return [RoleChosen(started.session_id, started.person_id, grant_id, role, organisation_id, at)]
        case EndSession(reason, at):
            if started is None or session.over:
                return []
            return [SessionEnded(started.session_id, started.person_id, reason, at)]


def evolve(session: Session, event: SessionEvent) -> Session:
    match event:
        case SessionStarted():
            return Session(started=event)
        case RoleChosen() | SessionConfirmed():
            return session
        case SessionEnded():
            return replace(session, over=True)

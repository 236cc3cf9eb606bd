"""A sign-in link: usable once, for a while, and only while no newer one was issued."""

from dataclasses import dataclass
from datetime import datetime

from services.auth.domain.events import (
    LinkEvent,
    LinkId,
    LinkIssued,
    LinkRedeemed,
    LinkSuperseded,
    PersonId,
    Purpose,
    SessionId,
)


class LinkNotUsable(Exception):
    """Used, too old, replaced by a newer one, or never issued. Which of these is nobody's business."""


@dataclass(frozen=True, slots=True)
class IssueLink:
    link_id: LinkId
    person_id: PersonId
    purpose: Purpose
    expires_at: datetime
    return_to: str | None


@dataclass(frozen=True, slots=True)
class SupersedeLink:
    by: LinkId


@dataclass(frozen=True, slots=True)
class RedeemLink:
    session_id: SessionId
    at: datetime


LinkCommand = IssueLink | SupersedeLink | RedeemLink


@dataclass(frozen=True, slots=True)
class Link:
    """issued None: there is no such link."""

    issued: LinkIssued | None = None
    spent: bool = False


def decide(command: LinkCommand, link: Link) -> list[LinkEvent]:
    match command:
        case IssueLink(link_id, person_id, purpose, expires_at, return_to):
            if link.issued is not None:
                return []
            return [LinkIssued(link_id, person_id, purpose, expires_at, return_to)]
        case SupersedeLink(by):
            if link.issued is None or link.spent:
                return []
            return [LinkSuperseded(link.issued.link_id, by)]
        case RedeemLink(session_id, at):
            if link.issued is None or link.spent or at >= link.issued.expires_at:
                raise LinkNotUsable
            return [LinkRedeemed(link.issued.link_id, session_id, at)]


def evolve(link: Link, event: LinkEvent) -> Link:
    match event:
        case LinkIssued():
            return Link(issued=event)
        case LinkSuperseded() | LinkRedeemed():
            return Link(link.issued, spent=True)

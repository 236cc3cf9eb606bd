"""The review of a grant: asked, confirmed or ended by somebody who can know, or suspended unanswered."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from services.access.domain.events import (
    EndReason,
    Event,
    GrantEnded,
    GrantSuspended,
    ReviewAsked,
    ReviewConfirmed,
    SuspendReason,
)
from services.access.domain.grant_state import Grant, review_day
from services.access.domain.refusals import FourEyes, NothingThere, NotInReview
from services.access.domain.vocabulary import Actor, CampaignId, OrganisationId, Role


@dataclass(frozen=True, slots=True)
class AskReview:
    """Does nothing to a grant that is suspended, has ended, or is asked about already."""

    campaign_id: CampaignId
    answer_by: date
    at: datetime


@dataclass(frozen=True, slots=True)
class AnswerReview:
    """lead_providers: those with an agreement in force with the grant's delivery partner."""

    needed: bool
    by: Actor
    at: datetime
    words: str
    lead_providers: Collection[OrganisationId]
    today: date


@dataclass(frozen=True, slots=True)
class LetReviewLapse:
    """Nobody answered in time. Does nothing when somebody did."""

    campaign_id: CampaignId
    at: datetime


ReviewCommand = AskReview | AnswerReview | LetReviewLapse


def decide_review(command: ReviewCommand, grant: Grant) -> Sequence[Event]:
    """Raises a Refused."""
    match command:
        case AskReview(campaign_id, answer_by, at):
            if grant.ended or grant.suspended is not None or grant.in_review is not None:
                return []
            return [ReviewAsked(grant.grant_id, campaign_id, answer_by, at)]
        case LetReviewLapse(campaign_id, at):
            if grant.ended or grant.in_review != campaign_id:
                return []
            who = (grant.grant_id, grant.person_id, grant.role, grant.organisation_id)
            return [GrantSuspended(*who, SuspendReason.NOT_REVIEWED, at)]
        case AnswerReview():
            return [_answer(command, grant)]


def _answer(command: AnswerReview, grant: Grant) -> Event:
    by = command.by
    colleague = (by.role, by.organisation_id) == (grant.role, grant.organisation_id)
    contact = (
        by.role is Role.LEAD_PROVIDER
        and grant.role is Role.DELIVERY_PARTNER
        and by.organisation_id in command.lead_providers
    )
    if not (colleague or contact):
        raise NothingThere
    if grant.ended or grant.in_review is None:
        raise NotInReview
    if command.needed and by.person_id == grant.person_id:
        raise FourEyes
    who = (grant.grant_id, grant.person_id, grant.role, grant.organisation_id)
    if not command.needed:
        reason = EndReason.LEFT if colleague else EndReason.NOT_CONFIRMED
        return GrantEnded(*who, reason, command.words, by.person_id, command.at)
    return ReviewConfirmed(
        *who,
        grant.in_review,
        command.words,
        by.person_id,
        by.role,
        command.at,
        review_day(grant.role, command.today),
    )

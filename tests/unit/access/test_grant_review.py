"""The review of a grant: asked, answered by somebody who can know, suspended when nobody answers."""

from dataclasses import replace
from datetime import date
from uuid import UUID

import pytest

from services.access.domain.events import (
    EndReason,
    GrantEnded,
    GrantSuspended,
    ReviewAsked,
    ReviewConfirmed,
    SuspendReason,
)
from services.access.domain.grant_review import AnswerReview, AskReview, LetReviewLapse
from services.access.domain.refusals import FourEyes, NothingThere, NotInReview
from services.access.domain.vocabulary import Actor, CampaignId, Role
from services.access.handlers.deciding import GRANT as GRANTS
from tests.unit.access.cast import (
    ADMINISTRATOR,
    AT,
    BODY_USER,
    COLLEAGUE,
    CONTACT,
    GRANT,
    OTHER_CONTACT,
    OTHER_PARTNER,
    PARTNER,
    POLICY,
    PROVIDER,
    SUPPORT,
    TODAY,
    USER,
)
from tests.unit.access.given import given
from tests.unit.access.test_register import GIVEN, SUSPENDED, ended

CAMPAIGN, OTHER_CAMPAIGN = CampaignId(UUID(int=1)), CampaignId(UUID(int=2))
BY = date(2026, 12, 20)
ASK = AskReview(CAMPAIGN, BY, AT)
ASKED = ReviewAsked(GRANT, CAMPAIGN, BY, AT)
YES = AnswerReview(True, USER, AT, "Still here.", (PROVIDER,), TODAY)
NO = replace(YES, needed=False)


def confirmed(by: Actor) -> ReviewConfirmed:
    return ReviewConfirmed(
        GRANT,
        COLLEAGUE,
        Role.DELIVERY_PARTNER,
        PARTNER,
        CAMPAIGN,
        "Still here.",
        by.person_id,
        by.role,
        AT,
        date(2027, 11, 25),
    )


def test_a_grant_in_force_is_asked_about_once() -> None:
    given(GRANTS, GIVEN).when(ASK).then(ASKED)
    given(GRANTS, GIVEN, ASKED).when(replace(ASK, campaign_id=OTHER_CAMPAIGN)).then()
    given(GRANTS, GIVEN, SUSPENDED).when(ASK).then()
    given(GRANTS, GIVEN, ended(GIVEN, SUPPORT)).when(ASK).then()


@pytest.mark.parametrize("by", [USER, CONTACT])
def test_the_organisation_or_its_lead_provider_confirms_for_another_year(by: Actor) -> None:
    given(GRANTS, GIVEN, ASKED).when(replace(YES, by=by)).then(confirmed(by))
    given(GRANTS, GIVEN, ASKED, confirmed(by)).when(replace(YES, by=by)).then_raises(NotInReview)
    given(GRANTS, GIVEN, ASKED, confirmed(by)).when(ASK).then(ASKED)


@pytest.mark.parametrize(("by", "reason"), [(USER, EndReason.LEFT), (CONTACT, EndReason.NOT_CONFIRMED)])
def test_a_no_ends_it(by: Actor, reason: EndReason) -> None:
    given(GRANTS, GIVEN, ASKED).when(replace(NO, by=by)).then(
        GrantEnded(GRANT, COLLEAGUE, Role.DELIVERY_PARTNER, PARTNER, reason, "Still here.", by.person_id, AT)
    )


@pytest.mark.parametrize(
    "by",
    [
        SUPPORT,
        POLICY,
        ADMINISTRATOR,
        BODY_USER,
        OTHER_CONTACT,
        replace(USER, organisation_id=OTHER_PARTNER),
    ],
)
def test_nobody_else_answers(by: Actor) -> None:
    given(GRANTS, GIVEN, ASKED).when(replace(YES, by=by)).then_raises(NothingThere)


def test_nobody_confirms_their_own_access() -> None:
    own = replace(YES, by=replace(USER, person_id=COLLEAGUE))
    given(GRANTS, GIVEN, ASKED).when(own).then_raises(FourEyes)


def test_what_was_not_asked_is_not_answered() -> None:
    given(GRANTS, GIVEN).when(YES).then_raises(NotInReview)


def test_unanswered_it_is_suspended_and_answered_it_is_not() -> None:
    lapse = LetReviewLapse(CAMPAIGN, AT)
    suspended = GrantSuspended(
        GRANT, COLLEAGUE, Role.DELIVERY_PARTNER, PARTNER, SuspendReason.NOT_REVIEWED, AT
    )
    given(GRANTS, GIVEN, ASKED).when(lapse).then(suspended)
    given(GRANTS, GIVEN, ASKED, suspended).when(lapse).then()
    given(GRANTS, GIVEN, ASKED, confirmed(USER)).when(lapse).then()
    given(GRANTS, GIVEN, ASKED).when(LetReviewLapse(OTHER_CAMPAIGN, AT)).then()
    given(GRANTS, GIVEN, ASKED, ended(GIVEN, SUPPORT)).when(lapse).then()

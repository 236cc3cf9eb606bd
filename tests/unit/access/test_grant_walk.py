"""Any walk at all through the life of a grant: what is suspended comes back by policy alone, and covered."""

from uuid import UUID

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from services.access.domain.events import Event, SuspendReason
from services.access.domain.grant import Command, MarkLeaver, RestoreGrant, RevokeGrant, Suspend
from services.access.domain.grant_review import AnswerReview, AskReview, LetReviewLapse
from services.access.domain.grant_state import Grant
from services.access.domain.refusals import Refused
from services.access.domain.vocabulary import Actor, CampaignId, Role
from services.access.handlers.deciding import GRANT as DECIDER
from tests.unit.access.cast import AT, COLLEAGUE, PARTNER, PROVIDER, TODAY, person
from tests.unit.access.request_story import COVERED, UNCOVERED
from tests.unit.access.test_register import GIVEN
from tests.unit.access.test_request_walk import ORGANISATION_OF

people = st.sampled_from([COLLEAGUE, person("a"), person("b")])
actors = st.builds(
    lambda person_id, role_and_organisation: Actor(person_id, *role_and_organisation),
    people,
    st.sampled_from([(role, one) for role in Role for one in ORGANISATION_OF.get(role, [None])]),
)
campaigns = st.sampled_from([CampaignId(UUID(int=1)), CampaignId(UUID(int=2))])


class GrantWalk(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.events: list[Event] = [GIVEN]
        self.in_force, self.ended = True, False
        self.asked: CampaignId | None = None

    def accepted(self, command: Command) -> bool:
        """Whether something happened."""
        try:
            new = DECIDER.decide(command, DECIDER.state_after(self.events))
        except Refused:
            return False
        assert not (new and self.ended), "something happened to a grant that had ended"
        self.events += new
        return bool(new)

    @rule(reason=st.sampled_from(SuspendReason))
    def suspend(self, reason: SuspendReason) -> None:
        if self.accepted(Suspend(reason, AT)):
            assert self.in_force
            self.in_force, self.asked = False, None

    @rule(by=actors, covered=st.booleans())
    def restore(self, by: Actor, covered: bool) -> None:
        if self.accepted(RestoreGrant(by, AT, "Why.", COVERED if covered else UNCOVERED, TODAY)):
            assert by.role is Role.POLICY
            assert by.person_id != COLLEAGUE
            assert covered
            assert not self.in_force
            self.in_force = True

    @rule()
    def restore_rightly(self) -> None:
        self.restore(Actor(person("a"), Role.POLICY, None), True)

    @rule(campaign=campaigns)
    def ask(self, campaign: CampaignId) -> None:
        if self.accepted(AskReview(campaign, TODAY, AT)):
            assert self.in_force
            assert self.asked is None
            self.asked = campaign

    @rule(by=actors, needed=st.booleans())
    def answer(self, by: Actor, needed: bool) -> None:
        if self.accepted(AnswerReview(needed, by, AT, "Why.", (PROVIDER,), TODAY)):
            assert self.asked is not None
            colleague = (by.role, by.organisation_id) == (Role.DELIVERY_PARTNER, PARTNER)
            assert colleague or (by.role, by.organisation_id) == (Role.LEAD_PROVIDER, PROVIDER)
            assert not (needed and by.person_id == COLLEAGUE), "confirmed their own access"
            self.asked = None
            self.ended = not needed

    @rule(campaign=campaigns)
    def lapse(self, campaign: CampaignId) -> None:
        if self.accepted(LetReviewLapse(campaign, AT)):
            assert self.asked == campaign
            self.in_force, self.asked = False, None

    @rule(by=actors, often=st.sampled_from([False, False, False, True]))
    def revoke(self, by: Actor, often: bool) -> None:
        if often and self.accepted(RevokeGrant(by, AT, "Why.")):
            assert by.role in (Role.SUPPORT, Role.ADMINISTRATOR)
            self.ended = True

    @rule(by=actors, often=st.sampled_from([False, False, False, True]))
    def leave(self, by: Actor, often: bool) -> None:
        if often and self.accepted(MarkLeaver(by, AT, "Why.")):
            assert (by.role, by.organisation_id) == (Role.DELIVERY_PARTNER, PARTNER)
            self.ended = True

    @invariant()
    def the_state_is_what_the_model_says(self) -> None:
        grant = DECIDER.state_after(self.events)
        assert isinstance(grant, Grant)
        assert grant.ended == self.ended
        if not self.ended:
            assert (grant.suspended is None) == self.in_force
            assert grant.in_review == self.asked


GrantWalk.TestCase.settings = settings(max_examples=100, stateful_step_count=25)
TestGrantWalk = GrantWalk.TestCase

"""Any walk at all through requests, against a small model: no path to a grant avoids the three decisions."""

from dataclasses import dataclass, field, replace
from typing import Final

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from services.access.domain.events import DeclineKind, Event, RequestGranted, Step
from services.access.domain.refusals import Refused
from services.access.domain.request import (
    AccessRequest,
    Command,
    ConfirmUser,
    Decline,
    Expire,
    GiveInformation,
    PassPolicyCheck,
    PassTriage,
    Remind,
    RequestState,
    ReturnForInformation,
    Withdraw,
)
from services.access.domain.vocabulary import Actor, OrganisationId, OrganisationKind, PersonId, Role
from services.access.handlers.deciding import REQUEST as DECIDER
from tests.unit.access.cast import AT, BODY, GRANT, OTHER_PROVIDER, PARTNER, PROVIDER, person
from tests.unit.access.request_story import COVERED, NOT_NEEDED, SUBMIT, UNCOVERED, WHY

ORGANISATION_OF: Final[dict[Role, list[OrganisationId | None]]] = {
    Role.DELIVERY_PARTNER: [PARTNER],
    Role.APPROPRIATE_BODY: [BODY],
    Role.LEAD_PROVIDER: [PROVIDER, OTHER_PROVIDER],
}
people = st.sampled_from([person(name) for name in "abcdef"])
actors = st.builds(
    lambda person_id, role_and_organisation: Actor(person_id, *role_and_organisation),
    people,
    st.sampled_from([(role, one) for role in Role for one in ORGANISATION_OF.get(role, [None])]),
)
providers = st.sampled_from([PROVIDER, OTHER_PROVIDER])


@dataclass
class Model:
    """What must have happened for a grant, kept without looking at the events."""

    involved: set[PersonId] = field(default_factory=set)
    triaged_by: PersonId | None = None
    checked_by: PersonId | None = None
    confirmed_by: PersonId | None = None
    asked: OrganisationId | None = None
    passed_against_advice: bool = False
    sent_back: bool = False
    reminders: int = 0
    waits: int = 1
    closed: bool = False


class RequestWalk(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.events: list[Event] = []
        self.model = Model()

    @property
    def request(self) -> AccessRequest | None:
        return DECIDER.state_after(self.events)

    def accepted(self, command: Command) -> bool:
        try:
            new = DECIDER.decide(command, self.request)
        except Refused:
            return False
        assert not self.model.closed, "a closed request took another step"
        self.events += new
        return True

    def sign(self, by: Actor, role: Role) -> None:
        self.model.waits += 1
        assert by.role is role
        assert not self.model.sent_back, "decided while information was awaited"
        assert by.person_id not in self.model.involved, "somebody decided who had another part in it"
        self.model.involved.add(by.person_id)

    @rule(by=actors, subject=people, role=st.sampled_from([Role.DELIVERY_PARTNER, Role.APPROPRIATE_BODY]))
    def submit(self, by: Actor, subject: PersonId, role: Role) -> None:
        body = role is Role.APPROPRIATE_BODY
        command = replace(
            SUBMIT,
            by=by,
            person_id=subject,
            role=role,
            organisation_id=BODY if body else PARTNER,
            kind=OrganisationKind.APPROPRIATE_BODY if body else OrganisationKind.DELIVERY_PARTNER,
        )
        if self.accepted(command):
            self.model.involved |= {by.person_id, subject}

    @initialize(role=st.sampled_from([Role.DELIVERY_PARTNER, Role.APPROPRIATE_BODY]), themself=st.booleans())
    def begin(self, role: Role, themself: bool) -> None:
        organisation = BODY if role is Role.APPROPRIATE_BODY else PARTNER
        by = person("b" if themself else "a")
        self.submit(Actor(by, role, organisation), person("b"), role)
        assert self.request is not None

    @rule(by=actors)
    def triage(self, by: Actor) -> None:
        if self.accepted(PassTriage(by, AT, WHY)):
            self.sign(by, Role.SUPPORT)
            self.model.triaged_by = by.person_id

    @rule(by=actors, asked=providers, covered=st.booleans())
    def check(self, by: Actor, asked: OrganisationId, covered: bool) -> None:
        body = self.request is not None and self.request.role is Role.APPROPRIATE_BODY
        register = NOT_NEEDED if body else COVERED if covered else UNCOVERED
        command = PassPolicyCheck(by, AT, WHY, register, asked, (person("contact"),), GRANT)
        if self.accepted(command):
            self.sign(by, Role.POLICY)
            self.model.checked_by = by.person_id
            self.model.asked = asked
            self.model.passed_against_advice = not (covered and asked == PROVIDER)
            self.model.closed = body

    @rule(by=actors, covered=st.booleans())
    def confirm(self, by: Actor, covered: bool) -> None:
        if self.accepted(ConfirmUser(by, AT, WHY, COVERED if covered else UNCOVERED, GRANT)):
            self.sign(by, Role.LEAD_PROVIDER)
            assert by.organisation_id == self.model.asked
            assert covered or self.model.passed_against_advice, "granted on an agreement that had ended"
            self.model.confirmed_by = by.person_id
            self.model.closed = True

    @rule(by=actors, step=st.sampled_from(Step), covered=st.booleans())
    def decline(self, by: Actor, step: Step, covered: bool) -> None:
        if self.accepted(Decline(step, by, AT, WHY, COVERED if covered else UNCOVERED, DeclineKind.OTHER)):
            assert by.person_id not in self.model.involved
            self.model.closed = True

    @rule(who=people, covered=st.booleans())
    def go_on(self, who: PersonId, covered: bool) -> None:
        """The next step in its right role, by anybody: so that walks get far."""
        match self.request and self.request.state:
            case RequestState.SUBMITTED:
                self.triage(Actor(who, Role.SUPPORT, None))
            case RequestState.POLICY_CHECK:
                self.check(Actor(who, Role.POLICY, None), PROVIDER, covered)
            case RequestState.AWAITING_LEAD_PROVIDER:
                self.confirm(Actor(who, Role.LEAD_PROVIDER, self.model.asked), covered)

    @rule(by=actors, step=st.sampled_from(Step))
    def send_back(self, by: Actor, step: Step) -> None:
        if self.accepted(ReturnForInformation(step, by, AT, WHY)):
            assert step is not Step.CONFIRMATION
            assert by.person_id not in self.model.involved
            self.model.sent_back = True
            self.model.waits += 1

    @rule(by=actors)
    def inform(self, by: Actor) -> None:
        if self.accepted(GiveInformation(by, AT, WHY)):
            assert self.model.sent_back
            self.model.sent_back = False
            self.model.involved.add(by.person_id)
            self.model.waits += 1

    @rule()
    def remind(self) -> None:
        if self.time_does(Remind(AT, AT)):
            self.model.reminders += 1
            assert self.model.reminders <= self.model.waits, "reminded twice of one wait"

    @rule(passes=st.sampled_from([False, False, False, True]))
    def expire(self, passes: bool) -> None:
        if passes and self.time_does(Expire(AT, AT)):
            self.model.closed = True

    def time_does(self, command: Command) -> bool:
        """Time is never refused: where it has nothing to do, it does nothing."""
        new = DECIDER.decide(command, self.request) if self.request else []
        assert not (new and self.model.closed)
        self.events += new
        return bool(new)

    @rule(by=actors)
    def withdraw(self, by: Actor) -> None:
        if self.accepted(Withdraw(by, AT, WHY)):
            self.model.closed = True

    @invariant()
    def a_grant_has_its_decisions(self) -> None:
        if self.request is None:
            return
        granted = any(isinstance(event, RequestGranted) for event in self.events)
        assert granted == (self.request.state is RequestState.GRANTED)
        if granted:
            parts = [self.model.triaged_by, self.model.checked_by]
            if self.request.role is Role.DELIVERY_PARTNER:
                parts.append(self.model.confirmed_by)
            assert None not in parts
            assert len(set(parts)) == len(parts)

    @invariant()
    def it_is_open_until_it_is_closed(self) -> None:
        if self.request is not None:
            assert self.request.state.is_open == (not self.model.closed)


RequestWalk.TestCase.settings = settings(max_examples=150, stateful_step_count=25)
TestRequestWalk = RequestWalk.TestCase

"""Where a request stands, and who may do what with it now."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import partial
from typing import Final

from services.access.domain.events import Step
from services.access.domain.refusals import (
    FourEyes,
    NotAwaitingThisStep,
    NothingThere,
    NotYourStep,
    Refused,
)
from services.access.domain.vocabulary import Actor, OrganisationId, PersonId, RequestId, Role


class RequestState(StrEnum):
    """The same words as in the contract; a test holds the two together."""

    SUBMITTED = "submitted"
    POLICY_CHECK = "policy_check"
    AWAITING_LEAD_PROVIDER = "awaiting_lead_provider"
    RETURNED = "returned"
    GRANTED = "granted"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"

    @property
    def is_open(self) -> bool:
        return self in (*STATE_OF_STEP.values(), RequestState.RETURNED)


STATE_OF_STEP: Final = {
    Step.TRIAGE: RequestState.SUBMITTED,
    Step.POLICY_CHECK: RequestState.POLICY_CHECK,
    Step.CONFIRMATION: RequestState.AWAITING_LEAD_PROVIDER,
}
ROLE_OF_STEP: Final = {
    Step.TRIAGE: Role.SUPPORT,
    Step.POLICY_CHECK: Role.POLICY,
    Step.CONFIRMATION: Role.LEAD_PROVIDER,
}
WHERE_IT_IS: Final = {
    RequestState.SUBMITTED: "It waits for support.",
    RequestState.POLICY_CHECK: "It waits for the policy check.",
    RequestState.AWAITING_LEAD_PROVIDER: "It waits for the lead provider.",
    RequestState.RETURNED: "It waits for information from those who asked.",
    RequestState.GRANTED: "Access has been granted.",
    RequestState.DECLINED: "It has been declined.",
    RequestState.WITHDRAWN: "It has been withdrawn.",
    RequestState.EXPIRED: "It has expired: nobody answered in time.",
}
WITHDRAW: Final = "withdraw"
INFORM: Final = "inform"


@dataclass(frozen=True, slots=True)
class AccessRequest:
    """person_id: whom it is about. decided_by: everybody who decided on it so far.

    waiting_since: when it came into this state. informed_by: who gave information that was asked for.
    returned_from: the step that waits for information, while it does.
    """

    request_id: RequestId
    person_id: PersonId
    role: Role
    organisation_id: OrganisationId
    made_by: PersonId
    made_as: Role
    state: RequestState
    waiting_since: datetime
    decided_by: frozenset[PersonId] = frozenset()
    lead_provider_id: OrganisationId | None = None
    against_advice: bool = False
    informed_by: frozenset[PersonId] = frozenset()
    returned_from: Step | None = None
    reminded: bool = False

    @property
    def waits_at(self) -> Step | None:
        """The step that is due; None when it waits for those who asked, or for nobody."""
        return next((step for step, state in STATE_OF_STEP.items() if state is self.state), None)

    @property
    def by_themself(self) -> bool:
        """Asked for by the person it is about, who cannot sign in yet."""
        return self.made_by == self.person_id and self.made_as is self.role

    @property
    def needs_lead_provider(self) -> bool:
        return self.role is Role.DELIVERY_PARTNER

    def must_allow(self, step: Step, by: Actor) -> None:
        """Raises the Refused that says why this person may not take this step now."""
        if by.role is not ROLE_OF_STEP[step]:
            raise NotYourStep
        if step is Step.CONFIRMATION and by.organisation_id != self.lead_provider_id:
            raise NothingThere
        if self.state is not STATE_OF_STEP[step]:
            raise NotAwaitingThisStep(f"This request no longer waits for you. {WHERE_IT_IS[self.state]}")
        if by.person_id in self.decided_by | self.informed_by | {self.made_by, self.person_id}:
            raise FourEyes

    def must_allow_withdrawal(self, by: Actor) -> None:
        """The side that asked takes it back."""
        self._must_be_the_side_that_asked(by)
        if not self.state.is_open:
            raise NotAwaitingThisStep(f"This request is closed. {WHERE_IT_IS[self.state]}")

    def must_allow_information(self, by: Actor) -> None:
        """The side that asked gives what it was asked for. Who does has a part in the request."""
        self._must_be_the_side_that_asked(by)
        if self.state is not RequestState.RETURNED:
            raise NotAwaitingThisStep(f"This request does not wait for you. {WHERE_IT_IS[self.state]}")

    def _must_be_the_side_that_asked(self, by: Actor) -> None:
        """The organisation's users; support for what it entered, and for those who cannot sign in yet: what
        they answer reaches support by email. Their would-be colleagues have no part in it.
        """
        if self.made_as is Role.SUPPORT or self.by_themself:
            same_side = by.role is Role.SUPPORT
        else:
            same_side = by.role is self.role and by.organisation_id == self.organisation_id
        if not same_side:
            raise NotYourStep

    def open_to(self, by: Actor) -> list[str]:
        """What this person may do with the request now, in the words of the interface."""
        steps: list[str] = [step.value for step in Step if _passes(partial(self.must_allow, step, by))]
        if _passes(partial(self.must_allow_information, by)):
            steps.append(INFORM)
        return [*steps, WITHDRAW] if _passes(partial(self.must_allow_withdrawal, by)) else steps


def _passes(check: Callable[[], None]) -> bool:
    try:
        check()
    except Refused:
        return False
    return True

"""A request that is sent back for information, and goes on when it is there; reminders and expiry."""

from datetime import timedelta

import pytest

from services.access.domain.events import Event, Step
from services.access.domain.refusals import (
    FourEyes,
    NotAwaitingThisStep,
    NothingThere,
    NotReturnable,
    NotYourStep,
    Refused,
)
from services.access.domain.request import (
    Command,
    Expire,
    GiveInformation,
    Remind,
    ReturnForInformation,
)
from services.access.domain.vocabulary import Actor, Role
from tests.unit.access.cast import AT, BODY_USER, CONTACT, OTHER_SUPPORT, POLICY, SUPPORT, USER
from tests.unit.access.request_story import (
    ASKED,
    CLOSED,
    OPEN,
    SENT_BACK,
    WHY,
    checked,
    confirm,
    expired,
    informed,
    pass_check,
    pass_triage,
    past,
    reminded,
    returned,
    submitted,
    triaged,
)


def test_support_and_policy_send_a_request_back_for_information() -> None:
    past(submitted()).when(ReturnForInformation(Step.TRIAGE, SUPPORT, AT, WHY)).then(returned())
    past(submitted(), triaged()).when(ReturnForInformation(Step.POLICY_CHECK, POLICY, AT, WHY)).then(
        returned(POLICY, Step.POLICY_CHECK)
    )


def test_a_lead_provider_says_yes_or_no() -> None:
    back = ReturnForInformation(Step.CONFIRMATION, CONTACT, AT, WHY)
    past(submitted(), triaged(), checked(), ASKED).when(back).then_raises(NotReturnable)


@pytest.mark.parametrize(
    ("command", "refusal"),
    [
        (pass_triage(OTHER_SUPPORT), NotAwaitingThisStep),
        (pass_check(), NotAwaitingThisStep),
        (confirm(), NothingThere),
    ],
)
def test_nobody_decides_while_information_is_awaited(command: Command, refusal: type[Refused]) -> None:
    for history in SENT_BACK:
        past(*history).when(command).then_raises(refusal)


def test_the_side_that_asked_gives_the_information_and_nobody_else() -> None:
    for history in SENT_BACK:
        past(*history).when(GiveInformation(USER, AT, WHY)).then(informed())
        for other in (SUPPORT, POLICY, CONTACT, BODY_USER):
            past(*history).when(GiveInformation(other, AT, WHY)).then_raises(NotYourStep)
    for history in (*OPEN, *CLOSED):
        past(*history).when(GiveInformation(USER, AT, WHY)).then_raises(NotAwaitingThisStep)


def test_with_the_information_it_goes_on_at_the_step_that_needed_it() -> None:
    past(submitted(), returned(), informed()).when(pass_triage()).then(triaged())
    asked = (submitted(), triaged(), returned(POLICY, Step.POLICY_CHECK), informed())
    past(*asked).when(pass_check()).then(checked(), ASKED)
    past(*asked).when(pass_triage(OTHER_SUPPORT)).then_raises(NotAwaitingThisStep)


def test_who_gave_information_decides_nothing() -> None:
    informant = Actor(USER.person_id, Role.SUPPORT, None)
    past(submitted(SUPPORT), returned(OTHER_SUPPORT), informed(informant)).when(
        pass_triage(informant)
    ).then_raises(FourEyes)


WAITING: list[tuple[list[Event], Step | None]] = [
    (list(OPEN[0]), Step.TRIAGE),
    (list(OPEN[1]), Step.POLICY_CHECK),
    (list(OPEN[2]), Step.CONFIRMATION),
    (list(SENT_BACK[0]), None),
]


@pytest.mark.parametrize(("history", "step"), WAITING)
def test_whoever_it_waits_for_is_reminded_once_and_then_it_expires(
    history: list[Event], step: Step | None
) -> None:
    past(*history).when(Remind(AT, AT)).then(reminded(step))
    past(*history, reminded(step)).when(Remind(AT, AT)).then()
    past(*history, reminded(step)).when(Expire(AT, AT)).then(expired(step))


@pytest.mark.parametrize("command", [Remind(AT, AT), Expire(AT, AT)])
def test_time_does_nothing_to_a_closed_request(command: Command) -> None:
    for history in CLOSED:
        past(*history).when(command).then()


def test_a_deadline_of_an_earlier_wait_does_nothing() -> None:
    earlier = AT - timedelta(days=30)
    for history, _ in WAITING:
        past(*history).when(Remind(earlier, AT)).then()
        past(*history).when(Expire(earlier, AT)).then()

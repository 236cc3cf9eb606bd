"""Who may take which step of a request, and when: exhaustively."""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from services.access.domain.events import (
    DeclineKind,
    Event,
    PolicyCheckPassed,
    RequestGranted,
    Step,
)
from services.access.domain.refusals import (
    FourEyes,
    NotAwaitingThisStep,
    NothingThere,
    NotYourStep,
    Refused,
)
from services.access.domain.request import (
    Command,
    Decline,
    Withdraw,
)
from services.access.domain.vocabulary import Actor, PersonId, Role
from services.access.handlers.deciding import REQUEST as DECIDER
from tests.unit.access.cast import (
    ADMINISTRATOR,
    AT,
    AUDITOR,
    BODY_USER,
    COLLEAGUE,
    CONTACT,
    OTHER_CONTACT,
    OTHER_SUPPORT,
    POLICY,
    SUPPORT,
    USER,
    person,
)
from tests.unit.access.request_story import (
    CLOSED,
    COVERED,
    OPEN,
    SUBMIT,
    WHY,
    confirm,
    pass_check,
    pass_triage,
    past,
)

COMMANDS: dict[Step, tuple[Callable[[Actor], Command], Actor]] = {
    Step.TRIAGE: (pass_triage, SUPPORT),
    Step.POLICY_CHECK: (pass_check, POLICY),
    Step.CONFIRMATION: (confirm, CONTACT),
}
HISTORIES = dict(zip(Step, OPEN, strict=True))


@pytest.mark.parametrize(("step", "role"), list(itertools.product(Step, Role)))
def test_each_step_is_taken_in_its_own_role_only(step: Step, role: Role) -> None:
    command, usual = COMMANDS[step]
    if role is usual.role:
        return
    by = Actor(person("somebody"), role, usual.organisation_id)
    past(*HISTORIES[step]).when(command(by)).then_raises(NotYourStep)
    past(*HISTORIES[step]).when(Decline(step, by, AT, WHY, COVERED, DeclineKind.OTHER)).then_raises(
        NotYourStep
    )


@pytest.mark.parametrize(
    ("step", "history"),
    [(s, h) for s, h in itertools.product(Step, [*OPEN, *CLOSED]) if h is not HISTORIES[s]],
)
def test_a_step_is_taken_in_its_turn_only(step: Step, history: Sequence[Event]) -> None:
    command, by = COMMANDS[step]
    # Before a lead provider is named, a confirmation finds nothing at all.
    named = any(isinstance(event, PolicyCheckPassed) for event in history)
    refusal = NothingThere if step is Step.CONFIRMATION and not named else NotAwaitingThisStep
    past(*history).when(command(by)).then_raises(refusal)


@pytest.mark.parametrize(
    ("step", "who"),
    [(s, w) for s in Step for w in (USER.person_id, COLLEAGUE)]
    + [(s, SUPPORT.person_id) for s in (Step.POLICY_CHECK, Step.CONFIRMATION)]
    + [(Step.CONFIRMATION, POLICY.person_id)],
)
def test_nobody_decides_on_what_they_made_decided_on_or_is_about_them(step: Step, who: PersonId) -> None:
    command, usual = COMMANDS[step]
    by = replace(usual, person_id=who)
    past(*HISTORIES[step]).when(command(by)).then_raises(FourEyes)
    past(*HISTORIES[step]).when(Decline(step, by, AT, WHY, COVERED, DeclineKind.OTHER)).then_raises(FourEyes)


def test_nobody_decides_two_steps_of_one_request() -> None:
    """Of all ways to give five parts to five people, those work in which every part is another's."""
    people = [person(name) for name in "abcde"]
    for maker, subject, triager, checker, confirmer in itertools.product(people, repeat=5):
        steps: list[Command] = [
            replace(SUBMIT, person_id=subject, by=replace(USER, person_id=maker)),
            pass_triage(replace(SUPPORT, person_id=triager)),
            pass_check(replace(POLICY, person_id=checker)),
            confirm(replace(CONTACT, person_id=confirmer)),
        ]
        # Asking for oneself is harmless: somebody else decides, three times.
        apart = len({triager, checker, confirmer}) == 3 and not {maker, subject} & {
            triager,
            checker,
            confirmer,
        }
        assert _granted(steps) == apart, (maker, subject, triager, checker, confirmer)


def _granted(commands: Sequence[Command]) -> bool:
    request = None
    events: list[Event] = []
    for command in commands:
        try:
            new = DECIDER.decide(command, request)
        except Refused:
            return False
        events += new
        request = DECIDER.state_after(events)
    return any(isinstance(event, RequestGranted) for event in events)


def test_what_is_offered_is_what_is_allowed() -> None:
    """`open_to` names exactly the commands that decide would accept, for everybody in every state."""
    everybody = [
        USER,
        BODY_USER,
        SUPPORT,
        OTHER_SUPPORT,
        POLICY,
        ADMINISTRATOR,
        AUDITOR,
        CONTACT,
        OTHER_CONTACT,
    ]
    for history, by in itertools.product([*OPEN, *CLOSED], everybody):
        request = DECIDER.state_after(history)
        assert request is not None
        commands: dict[str, Command] = {
            "triage": pass_triage(by),
            "policy_check": pass_check(by),
            "confirmation": confirm(by),
            "withdraw": Withdraw(by, AT, WHY),
        }
        accepted = [name for name, command in commands.items() if _accepts(command, history)]
        assert request.open_to(by) == accepted


def _accepts(command: Command, history: Sequence[Event]) -> bool:
    try:
        DECIDER.decide(command, DECIDER.state_after(history))
    except Refused:
        return False
    return True

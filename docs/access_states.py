"""The states of an access request as a diagram, found by asking the decider itself.

Every command is tried in every state that can be reached, by somebody of the right role; what is accepted is
an arrow. So the picture shows what the code does, and not what somebody once meant.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from typing import Final
from uuid import UUID

from services.access.domain.coverage import Cover, Coverage, not_needed
from services.access.domain.events import DeclineKind, Event, Step
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
    RequestState,
    ReturnForInformation,
    SubmitRequest,
    Withdraw,
    decide,
    evolve,
)
from services.access.domain.request.state import ROLE_OF_STEP
from services.access.domain.vocabulary import (
    Actor,
    AgreementId,
    GrantId,
    OrganisationId,
    OrganisationKind,
    PersonId,
    RequestId,
    Role,
)
from shared.contracts.access import RequestState as Told

AT: Final = datetime(2026, 11, 25, 10, tzinfo=UTC)
ORGANISATION, PROVIDER = OrganisationId(UUID(int=1)), OrganisationId(UUID(int=2))
GRANT: Final = GrantId(UUID(int=3))
COVERED: Final = Coverage(
    AT.date(), True, (Cover(AgreementId(UUID(int=4)), PROVIDER, date(2027, 8, 31)),), "Covered."
)
HEAD: Final = """\
# The states of an access request

Generated from `services/access/domain/request` by `make docs`: each arrow is a step that the code allows,
with who takes it. Reminders move nothing and are left out. Nobody decides on a request that they made, gave
information to, decided on before, or that is about them.

```mermaid
stateDiagram-v2
"""


def state_diagram() -> str:
    arrows = sorted(
        {arrow for role in (Role.DELIVERY_PARTNER, Role.APPROPRIATE_BODY) for arrow in _walk(role)}
    )
    names = [f"  {state.value}: {Told(state.value).label}" for state in RequestState]
    first = f"  [*] --> {RequestState.SUBMITTED.value}: asked by a user, support, or the person themself"
    moves = [f"  {before} --> {after}: {label}" for before, after, label in arrows]
    ends = [f"  {state.value} --> [*]" for state in RequestState if not state.is_open]
    return HEAD + "\n".join([*names, first, *moves, *ends]) + "\n```\n"


def _walk(role: Role) -> Iterator[tuple[str, str, str]]:
    """Arrows of requests for this role, from the first state on: (from, to, label)."""
    user = Actor(PersonId(UUID(int=10)), role, ORGANISATION)
    submit = SubmitRequest(
        RequestId(UUID(int=5)),
        PersonId(UUID(int=11)),
        role,
        ORGANISATION,
        OrganisationKind(role.value),
        False,
        False,
        False,
        user,
        AT,
        "Why.",
    )
    start = _after(None, decide(submit, None))
    waiting, seen = [start], set[tuple[RequestState, Step | None]]()
    while waiting:
        request = waiting.pop()
        if (request.state, request.returned_from) in seen:
            continue
        seen.add((request.state, request.returned_from))
        for label, command in _steps(user, role):
            try:
                events = decide(command, request)
            except Refused:
                continue
            if not events:
                continue
            after = _after(request, events)
            body = after.state is RequestState.GRANTED and role is Role.APPROPRIATE_BODY
            said = "policy gives access (appropriate body)" if body else label
            yield request.state.value, after.state.value, said
            waiting.append(after)


def _steps(user: Actor, role: Role) -> Iterator[tuple[str, Command]]:
    check = COVERED if role is Role.DELIVERY_PARTNER else not_needed(AT.date())
    support, policy, contact = (
        Actor(PersonId(UUID(int=20 + number)), ROLE_OF_STEP[step], PROVIDER if number == 2 else None)
        for number, step in enumerate(Step)
    )
    yield "support passes on", PassTriage(support, AT, "Why.")
    asked = (PersonId(UUID(int=30)),)
    yield (
        "policy asks the lead provider",
        PassPolicyCheck(policy, AT, "Why.", check, PROVIDER, asked, GRANT),
    )
    yield "the lead provider confirms", ConfirmUser(contact, AT, "Why.", check, GRANT)
    for step, by, words in (
        (Step.TRIAGE, support, "support"),
        (Step.POLICY_CHECK, policy, "policy"),
        (Step.CONFIRMATION, contact, "the lead provider"),
    ):
        yield f"{words} declines", Decline(step, by, AT, "Why.", check, DeclineKind.OTHER)
        yield f"{words} needs information", ReturnForInformation(step, by, AT, "What?")
    yield "those who asked give it", GiveInformation(user, AT, "This.")
    yield "those who asked withdraw", Withdraw(user, AT, "Why.")
    yield "time is up", Expire(AT, AT)


def _after(request: AccessRequest | None, events: Sequence[Event]) -> AccessRequest:
    for event in events:
        request = evolve(request, event)
    assert request is not None  # noqa: S101 - the first event makes it
    return request

"""Access that ended a moment ago, as a service keeps it in mind."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID, uuid4

from shared.contracts import access, auth
from shared.contracts.envelope import CloudEvent, PublishedEvent
from shared.contracts.roles import Role
from shared.web.caller import PersonCaller
from shared.web.withdrawals import KEPT, Withdrawals

PERSON, ORGANISATION = uuid4(), uuid4()


def caller(role: Role = Role.DELIVERY_PARTNER, organisation: UUID | None = ORGANISATION) -> PersonCaller:
    return PersonCaller(PERSON, role, organisation, uuid4())


def told(event: PublishedEvent) -> CloudEvent:
    return CloudEvent(
        id=str(uuid4()),
        source="/access",
        type=event.type,
        subject=event.subject,
        time=datetime.now(UTC),
        data=event.model_dump(mode="json"),
        sequence="1",
    )


def grant() -> dict[str, object]:
    return {
        "grant_id": uuid4(),
        "person_id": PERSON,
        "role": Role.DELIVERY_PARTNER,
        "organisation_id": ORGANISATION,
    }


def suspended() -> CloudEvent:
    return told(access.GrantSuspended.model_validate({**grant(), "reason": "no agreement covers it"}))


def ended() -> CloudEvent:
    return told(access.GrantEnded.model_validate({**grant(), "ended_by": None, "reason": "left"}))


def restored() -> CloudEvent:
    return told(access.GrantRestored.model_validate({**grant(), "restored_by": uuid4(), "review_on": None}))


class Clock:
    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def test_nobody_is_covered_at_first() -> None:
    assert not Withdrawals().cover(caller())


def test_who_is_suspended_or_ended_is_covered_in_that_role_and_organisation_only() -> None:
    for event in (suspended(), ended()):
        withdrawals = Withdrawals()
        withdrawals.hear(event)
        assert withdrawals.cover(caller())
        assert not withdrawals.cover(caller(role=Role.APPROPRIATE_BODY))
        assert not withdrawals.cover(caller(organisation=uuid4()))


def test_who_is_restored_is_covered_no_more() -> None:
    withdrawals = Withdrawals()
    withdrawals.hear(suspended())
    withdrawals.hear(restored())
    assert not withdrawals.cover(caller())


def test_it_is_forgotten_when_no_token_of_before_can_be_alive() -> None:
    clock = Clock()
    withdrawals = Withdrawals(clock)
    withdrawals.hear(ended())
    clock.seconds = KEPT.total_seconds() - 0.1
    assert withdrawals.cover(caller())
    clock.seconds = KEPT.total_seconds()
    assert not withdrawals.cover(caller())


def test_what_it_does_not_know_changes_nothing() -> None:
    withdrawals = Withdrawals()
    withdrawals.hear(ended().model_copy(update={"type": "access.something-new.v9"}))
    assert not withdrawals.cover(caller())


def test_a_session_that_ended_covers_its_tokens_only() -> None:
    clock = Clock()
    withdrawals = Withdrawals(clock)
    mine = caller()
    session = auth.SessionEnded.model_validate(
        {"session_id": mine.session_id, "person_id": PERSON, "reason": "signed_out_by_staff"}
    )
    withdrawals.hear(told(session))
    assert withdrawals.cover(mine)
    assert not withdrawals.cover(caller()), "another session of the same person, in the same role"
    assert not withdrawals.cover(replace(mine, session_id=None)), "a worker finishes what was asked for"
    withdrawals.hear(restored())
    assert withdrawals.cover(mine), "a grant that is given does not bring a session back"
    clock.seconds = KEPT.total_seconds()
    assert not withdrawals.cover(mine)

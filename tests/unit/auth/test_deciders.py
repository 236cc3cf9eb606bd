"""What links and sessions promise, given what happened before."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import reduce
from uuid import UUID, uuid4

import pytest
from hypothesis import given as with_any
from hypothesis import strategies as st

from services.auth.domain import link, session
from services.auth.domain.events import (
    EndReason,
    GrantId,
    LinkEvent,
    LinkId,
    LinkIssued,
    LinkRedeemed,
    LinkSuperseded,
    PersonId,
    Purpose,
    RoleChosen,
    SessionEnded,
    SessionEvent,
    SessionId,
    SessionStarted,
)
from services.auth.domain.link_token import link_token, read_link_token

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
LATER = NOW + timedelta(minutes=10)
LINK, OTHER, PERSON = LinkId(uuid4()), LinkId(uuid4()), PersonId(uuid4())
SESSION, GRANT = SessionId(uuid4()), GrantId(uuid4())
ISSUED = LinkIssued(LINK, PERSON, Purpose.SIGN_IN, LATER, None)
STARTED = SessionStarted(SESSION, PERSON, LINK, NOW)


def after_link(events: Sequence[LinkEvent], command: link.LinkCommand) -> list[LinkEvent]:
    return link.decide(command, reduce(link.evolve, events, link.Link()))


def after_session(events: Sequence[SessionEvent], command: session.SessionCommand) -> list[SessionEvent]:
    return session.decide(command, reduce(session.evolve, events, session.Session()))


def test_a_live_link_is_redeemed() -> None:
    assert after_link([ISSUED], link.RedeemLink(SESSION, NOW)) == [LinkRedeemed(LINK, SESSION, NOW)]


@pytest.mark.parametrize(
    "events",
    [
        [],
        [ISSUED, LinkRedeemed(LINK, SESSION, NOW)],
        [ISSUED, LinkSuperseded(LINK, OTHER)],
    ],
    ids=["never issued", "used", "replaced"],
)
def test_a_link_that_is_not_live_is_refused(events: list[LinkEvent]) -> None:
    with pytest.raises(link.LinkNotUsable):
        after_link(events, link.RedeemLink(SESSION, NOW))


def test_a_link_ends_at_the_second_that_its_email_says() -> None:
    assert after_link([ISSUED], link.RedeemLink(SESSION, LATER - timedelta(microseconds=1)))
    with pytest.raises(link.LinkNotUsable):
        after_link([ISSUED], link.RedeemLink(SESSION, LATER))


def test_a_spent_link_is_not_replaced_again() -> None:
    assert after_link([ISSUED], link.SupersedeLink(OTHER)) == [LinkSuperseded(LINK, OTHER)]
    assert after_link([ISSUED, LinkRedeemed(LINK, SESSION, NOW)], link.SupersedeLink(OTHER)) == []


def test_a_role_is_chosen_and_chosen_again_while_the_session_lasts() -> None:
    choose = session.ChooseRole(GRANT, "delivery_partner", UUID(int=1), NOW)
    chosen = RoleChosen(SESSION, PERSON, GRANT, "delivery_partner", UUID(int=1), NOW)
    assert after_session([STARTED], choose) == [chosen]
    assert after_session([STARTED, chosen], choose) == [chosen]


@pytest.mark.parametrize(
    "events", [[], [STARTED, SessionEnded(SESSION, PERSON, EndReason.EXPIRED, NOW)]], ids=["none", "over"]
)
def test_no_role_is_chosen_without_a_session(events: list[SessionEvent]) -> None:
    with pytest.raises(session.SessionOver):
        after_session(events, session.ChooseRole(GRANT, "support", None, NOW))


def test_a_session_ends_once() -> None:
    ended = SessionEnded(SESSION, PERSON, EndReason.SIGNED_OUT, NOW)
    end = session.EndSession(EndReason.SIGNED_OUT, NOW)
    assert after_session([STARTED], end) == [ended]
    assert after_session([STARTED, ended], end) == []


KEY, OLD_KEY = b"k" * 32, b"o" * 32


def test_a_token_is_read_by_its_key_and_by_a_key_before_it() -> None:
    assert read_link_token(link_token(LINK, KEY), [KEY]) == LINK
    assert read_link_token(link_token(LINK, OLD_KEY), [KEY, OLD_KEY]) == LINK
    assert read_link_token(link_token(LINK, OLD_KEY), [KEY]) is None


@pytest.mark.parametrize(("bits", "length"), [(128, 45), (192, 55), (256, 66)])
def test_a_token_holds_as_many_bits_as_it_is_told_and_is_good_with_all_of_them_only(
    bits: int, length: int
) -> None:
    token = link_token(LINK, KEY, bits=bits)
    assert len(token) == length
    assert read_link_token(token, [KEY], bits=bits) == LINK
    for other in {128, 192, 256} - {bits}:
        assert read_link_token(token, [KEY], bits=other) is None
    assert read_link_token(token[:23], [KEY], bits=bits) is None, "no bits at all"


def test_a_token_changed_anywhere_is_refused() -> None:
    token = link_token(LINK, KEY)
    for place in range(len(token)):
        for other in "Ax_.":
            if token[place] != other:
                changed = token[:place] + other + token[place + 1 :]
                assert read_link_token(changed, [KEY]) is None, place
    for changed in (token[:-1], token + "A", token + "=", token.swapcase(), f" {token}"):
        assert read_link_token(changed, [KEY]) is None


@with_any(st.text(max_size=200) | st.from_regex(r"[A-Za-z0-9_-]{0,30}\.[A-Za-z0-9_-]{0,60}"))
def test_any_text_may_be_given_as_a_token(text: str) -> None:
    assert read_link_token(text, [KEY]) is None

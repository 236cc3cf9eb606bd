"""A form is taken only when it comes from a page that this browser was given."""

from services.gateway.csrf import FormTokens

TOKENS = FormTokens([b"k" * 32])


def test_a_token_proves_itself_for_its_own_session() -> None:
    assert TOKENS.proves(TOKENS.issue("session-1"), "session-1")


def test_a_token_of_another_session_proves_nothing() -> None:
    assert not TOKENS.proves(TOKENS.issue("session-1"), "session-2")


def test_a_token_under_another_key_proves_nothing() -> None:
    assert not FormTokens([b"x" * 32]).proves(TOKENS.issue("session-1"), "session-1")


def test_every_changed_character_spoils_a_token() -> None:
    token = TOKENS.issue("session-1")
    for place, character in enumerate(token):
        other = "A" if character != "A" else "B"
        assert not TOKENS.proves(token[:place] + other + token[place + 1 :], "session-1")


def test_what_is_no_token_at_all_proves_nothing() -> None:
    for nonsense in ("", ".", "a.b", TOKENS.issue("session-1").partition(".")[0], "é.ü"):
        assert not TOKENS.proves(nonsense, "session-1")


def test_the_border_between_random_part_and_session_cannot_be_moved() -> None:
    random, _, mac = TOKENS.issue("session-1").partition(".")
    assert not TOKENS.proves(f"{random}s.{mac}", "ession-1")


def test_each_page_gets_another_token() -> None:
    assert TOKENS.issue("session-1") != TOKENS.issue("session-1")


def test_while_a_key_is_rotated_open_pages_go_on() -> None:
    old, new = b"o" * 32, b"n" * 32
    before, announced, used, dropped = ([old], [old, new], [new, old], [new])
    for now, later in ((before, announced), (announced, used), (used, announced), (used, dropped)):
        assert FormTokens(later).proves(FormTokens(now).issue("session-1"), "session-1")
    assert not FormTokens(dropped).proves(FormTokens(announced).issue("session-1"), "session-1")

"""Codes of authenticator apps, who may reset whose, and how secrets are kept."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pyotp
import pytest
from cryptography.fernet import Fernet

from services.auth.domain import second_factor as domain
from services.auth.domain.events import PersonId, SecondFactorEnrolled
from services.auth.keys import second_factor_key
from services.auth.totp import STEP_SECONDS, enrolment_uri, new_secret, step_of
from services.auth.vault import SecretNotReadable, Vault

NOW = datetime(2026, 11, 2, 12, 0, 10, tzinfo=UTC)
SECRET = new_secret()
APP = pyotp.TOTP(SECRET)
PRESENT = int(NOW.timestamp()) // STEP_SECONDS
DANA, ALEX = PersonId(uuid4()), PersonId(uuid4())


@pytest.mark.parametrize(("steps", "taken"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_code_is_good_for_its_step_and_the_ones_beside_it(steps: int, taken: bool) -> None:
    code = APP.at(NOW + timedelta(seconds=steps * STEP_SECONDS))
    assert step_of(code, SECRET, NOW, -1) == (PRESENT + steps if taken else None)


def test_a_code_is_good_once_and_an_older_one_not_after_it() -> None:
    assert step_of(APP.at(NOW), SECRET, NOW, after=PRESENT) is None
    earlier = APP.at(NOW - timedelta(seconds=STEP_SECONDS))
    assert step_of(earlier, SECRET, NOW, after=PRESENT) is None
    later = APP.at(NOW + timedelta(seconds=STEP_SECONDS))
    assert step_of(later, SECRET, NOW, after=PRESENT) == PRESENT + 1


@pytest.mark.parametrize("code", ["", "12345", "1234567", "abcdef", "١٢٣٤٥٦", "12345\0", "½" * 6, "-12345"])
def test_what_is_no_code_is_refused(code: str) -> None:
    assert step_of(code, SECRET, NOW, -1) is None


def test_spaces_in_a_code_do_no_harm() -> None:
    code = APP.at(NOW)
    assert step_of(f" {code[:3]} {code[3:]} ", SECRET, NOW, -1) == PRESENT


def test_codes_are_those_of_the_standard() -> None:
    """RFC 6238, appendix B, SHA-1, at 59 seconds: 94287082, of which the last six digits."""
    secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    assert step_of("287082", secret, datetime.fromtimestamp(59, UTC), -1) == 1


def test_the_app_is_told_issuer_and_account() -> None:
    uri = pyotp.parse_uri(enrolment_uri(SECRET, "sam@example.org"))
    assert (uri.secret, uri.name) == (SECRET, "sam@example.org")


def test_nobody_resets_their_own() -> None:
    enrolled = domain.evolve(domain.SecondFactor(), SecondFactorEnrolled(DANA, NOW))
    with pytest.raises(domain.NotYourself):
        domain.decide(domain.Reset(DANA, DANA, NOW), enrolled)
    (reset,) = domain.decide(domain.Reset(DANA, ALEX, NOW), enrolled)
    assert domain.evolve(enrolled, reset) == domain.SecondFactor(enrolled=False)


def test_a_second_app_needs_a_reset_first() -> None:
    (enrolled,) = domain.decide(domain.Enrol(DANA, NOW), domain.SecondFactor())
    with pytest.raises(domain.AlreadyEnrolled):
        domain.decide(domain.Enrol(DANA, NOW), domain.evolve(domain.SecondFactor(), enrolled))
    with pytest.raises(domain.NothingToReset):
        domain.decide(domain.Reset(DANA, ALEX, NOW), domain.SecondFactor())


def test_a_secret_is_kept_encrypted_and_for_its_owner_only() -> None:
    vault = Vault([second_factor_key()])
    locked = vault.lock(SECRET, DANA)
    assert SECRET.encode() not in locked
    assert vault.unlock(locked, DANA) == SECRET
    with pytest.raises(SecretNotReadable):
        vault.unlock(locked, ALEX)
    with pytest.raises(SecretNotReadable):
        Vault([second_factor_key()]).unlock(locked, DANA)


def test_while_two_keys_are_live_both_read_and_renewal_leaves_only_the_newest() -> None:
    old, new = second_factor_key(), second_factor_key()
    locked = Vault([old]).lock(SECRET, DANA)
    both = Vault([new, old])
    assert both.unlock(locked, DANA) == SECRET
    assert Vault([old, new]).unlock(both.lock(SECRET, DANA), DANA) == SECRET, "a process not yet rotated"
    renewed = both.renewed(locked)
    assert renewed is not None
    assert both.renewed(renewed) is None
    assert Vault([new]).unlock(renewed, DANA) == SECRET


def test_every_changed_byte_of_a_kept_secret_is_noticed() -> None:
    key = Fernet.generate_key().decode()
    locked = Vault([key]).lock(SECRET, DANA)
    for place in range(len(locked) - 2):  # the last characters are padding
        changed = bytearray(locked)
        changed[place] = ord("A") if changed[place] != ord("A") else ord("B")
        with pytest.raises(SecretNotReadable):
            Vault([key]).unlock(bytes(changed), DANA)

"""Who signs out whom."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from services.auth.domain.events import PersonId, SignedOutByStaff
from services.auth.domain.signing_out import ForAdministrators, NotSignedIn, SignedIn, SignOut, decide

NOW = datetime(2026, 11, 29, 2, tzinfo=UTC)
PERSON, SAM = PersonId(uuid4()), PersonId(uuid4())
AS_SUPPORT = SignOut(PERSON, SAM, as_administrator=False, at=NOW)
AS_ADMINISTRATOR = SignOut(PERSON, SAM, as_administrator=True, at=NOW)
DONE = [SignedOutByStaff(PERSON, SAM, NOW)]


@pytest.mark.parametrize(
    ("command", "is_staff"), [(AS_SUPPORT, False), (AS_ADMINISTRATOR, False), (AS_ADMINISTRATOR, True)]
)
def test_support_signs_out_users_and_an_administrator_anybody(command: SignOut, is_staff: bool) -> None:
    assert decide(command, SignedIn(2, is_staff)) == DONE


def test_support_does_not_sign_out_staff() -> None:
    with pytest.raises(ForAdministrators):
        decide(AS_SUPPORT, SignedIn(1, is_staff=True))


@pytest.mark.parametrize("command", [AS_SUPPORT, AS_ADMINISTRATOR])
def test_who_is_not_signed_in_is_not_signed_out(command: SignOut) -> None:
    with pytest.raises(NotSignedIn):
        decide(command, SignedIn(0, is_staff=False))

"""The watch over the suite's logs sees what it is there for."""

from uuid import UUID

import pytest

from services.auth.domain.events import LinkId
from services.auth.domain.link_token import link_token
from shared.contracts.roles import Role
from tests.security.canaries import Finding
from tests.tokens import TestIssuer
from tests.watch import Lookalikes, said_by


def _report(said: str) -> pytest.TestReport:
    return pytest.TestReport(
        "a test",
        ("a file", 1, "a test"),
        {},
        "passed",
        None,
        "call",
        sections=[("Captured stderr call", said)],
    )


@pytest.mark.parametrize("address", ["dana.whitfield" + "@" + "example.org", "o'neil+1" + "@" + "x.example"])
def test_an_address_in_a_log_is_seen(address: str) -> None:
    said = f"email_sent to={address}, and more"
    assert said_by(_report(said)) == [Finding("Captured stderr call", address)]


def test_a_token_in_a_log_is_seen() -> None:
    link = link_token(LinkId(UUID(int=7)), b"k" * 32)
    internal = TestIssuer("participants").person(UUID(int=1), Role.SUPPORT, None)
    for token in (link, internal):
        assert Lookalikes().tokens_in(f"GET /sign-in/link/{token} 200") == {token}


def test_ids_digests_and_versions_are_none() -> None:
    said = f"trace_id={'ab' * 16} digest={'f' * 64} release=1.2.3 session={UUID(int=3)} a@b"
    assert said_by(_report(said)) == []

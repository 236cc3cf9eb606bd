"""Keys, secrets and settings of auth: what is made is good, what is weak is refused and not told."""

import json

import pytest
from pydantic import SecretStr, ValidationError

from services.auth.callers import proves_itself
from services.auth.keys import link_key, main, second_factor_key, service_secret, signing_key
from services.auth.settings import AuthSettings
from services.auth.signing import SigningKeys

GOOD = "g" * 40


def settings(
    monkeypatch: pytest.MonkeyPatch, *, link: str = GOOD, secret: str = GOOD, factor: str = ""
) -> AuthSettings:
    """From the environment, as in life."""
    for name, value in {
        "DATABASE_URL": "postgresql://auth:hidden-password@example.org/auth",
        "REDIS_URL": "redis://example.org",
        "LINK_KEYS": json.dumps([link]),
        "SIGNING_KEYS": json.dumps([signing_key()]),
        "SECOND_FACTOR_KEYS": json.dumps([factor or second_factor_key()]),
        "SERVICE_SECRETS": json.dumps({"gateway": GOOD, "export": secret}),
    }.items():
        monkeypatch.setenv(f"CHECK_DATA_{name}", value)
    return AuthSettings()


def test_new_keys_are_accepted_and_never_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    settings(monkeypatch, link=link_key(), secret=service_secret()[1])
    assert len({link_key() for _ in range(20)} | {signing_key() for _ in range(20)}) == 40
    first, second = signing_key(), signing_key()
    published = SigningKeys([first, second]).published()["keys"]
    assert len({key["kid"] for key in published}) == 2
    assert published[0] == SigningKeys([first]).published()["keys"][0]


@pytest.mark.parametrize(
    ("link", "secret", "why"),
    [
        ("short-link-key", GOOD, "32 bytes at least"),
        (GOOD, "short-secret", "32 bytes at least"),
        (GOOD, "sha256:" + "x" * 64, "64 hexadecimal digits"),
        (GOOD, "sha256:" + "a" * 63, "64 hexadecimal digits"),
    ],
)
def test_weak_keys_are_refused_at_the_start_and_no_key_is_told(
    monkeypatch: pytest.MonkeyPatch, link: str, secret: str, why: str
) -> None:
    with pytest.raises(ValidationError, match=why) as refused:
        settings(monkeypatch, link=link, secret=secret)
    told = str(refused.value)
    assert not any(part in told for part in ("short-", "gggg", "xxxx", "aaaa", "hidden-password"))


def test_a_service_proves_itself_to_who_knows_only_the_hash() -> None:
    secret, hashed = service_secret()
    known = {"gateway": SecretStr(hashed), "export": SecretStr(GOOD)}
    assert proves_itself(known, "gateway", secret)
    assert not proves_itself(known, "gateway", hashed), "the hash, if stolen, is of no use"
    assert not proves_itself(known, "export", secret)
    assert proves_itself(known, "export", GOOD)
    assert not proves_itself(known, "stranger", "no such service")


def test_keys_are_printed_by_kind(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 5
    assert main(["link"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 1
    assert main(["door"]) == 2

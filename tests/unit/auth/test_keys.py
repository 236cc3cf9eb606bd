"""Keys, secrets and settings of auth: what is made is good, what is weak is refused and not told."""

import json
import secrets
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
import typer
from pydantic import SecretStr, ValidationError
from typer.testing import CliRunner

from services.auth.callers import proves_itself
from services.auth.domain.events import LinkId
from services.auth.domain.link_token import link_token, read_link_token
from services.auth.keys import link_key, main, second_factor_key, service_secret, signing_key
from services.auth.settings import AuthSettings
from services.auth.signing import SigningKeys, TokenIssuer
from services.cli.commands import app
from services.cli.keys import Step, after
from services.cli.serve import _must_prove_itself
from shared.clock import system_clock
from shared.keys import guessable
from shared.settings import CommonSettings, Environment
from shared.web.caller import ServiceCaller
from shared.web.tokens import PublishedKeys, TokenVerifier

GOOD = secrets.token_urlsafe(32)


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
        (GOOD, f"{GOOD} short-secret", "32 bytes at least"),
        ("k" * 40, GOOD, "can be guessed"),
        (GOOD, "change-me-change-me-change-me-0123456789", "can be guessed"),
    ],
    ids=["short key", "short secret", "no digits", "too few", "one of two", "repeated", "words"],
)
def test_weak_keys_are_refused_at_the_start_and_no_key_is_told(
    monkeypatch: pytest.MonkeyPatch, link: str, secret: str, why: str
) -> None:
    with pytest.raises(ValidationError, match=why) as refused:
        settings(monkeypatch, link=link, secret=secret)
    told = str(refused.value)
    assert not any(
        part in told for part in ("short-", GOOD, "kkkk", "xxxx", "aaaa", "change-me", "hidden-password")
    )


def test_a_link_lives_ten_minutes_and_holds_256_bits_unless_told_and_128_at_least(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    safe = settings(monkeypatch)
    assert (safe.link_minutes, safe.link_bits) == (10, 256)
    for variable, value in (("LINK_BITS", "120"), ("LINK_BITS", "130"), ("LINK_MINUTES", "61")):
        with monkeypatch.context() as told:
            told.setenv(f"CHECK_DATA_{variable}", value)
            with pytest.raises(ValidationError, match=variable.lower()):
                settings(monkeypatch)
    monkeypatch.setenv("CHECK_DATA_LINK_BITS", "128")
    assert settings(monkeypatch).link_bits == 128


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


def test_a_second_factor_key_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValidationError, match="second factor key"):
        settings(monkeypatch, factor=link_key()[:-4])


def test_made_keys_are_never_taken_for_guessable() -> None:
    for _ in range(2_000):
        assert not guessable(link_key())
        assert not guessable(signing_key())
        assert not guessable(service_secret()[1])


def test_while_a_services_secret_is_changed_both_are_taken() -> None:
    (old, old_hash), (new, new_hash) = service_secret(), service_secret()
    known = {"export": SecretStr(f"{new_hash} {old_hash}")}
    assert proves_itself(known, "export", old)
    assert proves_itself(known, "export", new)
    assert not proves_itself(known, "export", f"{new_hash} {old_hash}")
    assert not proves_itself({"export": SecretStr(new_hash)}, "export", old)


def test_a_links_key_is_rotated_in_three_steps_and_links_go_on_working() -> None:
    link_id = LinkId(uuid4())
    before = [link_key()]
    announced = after(Step.ANNOUNCE, before, link_key)
    used = after(Step.USE, announced, link_key)
    dropped = after(Step.DROP, used, link_key)
    assert (announced[0], used[0], dropped) == (before[0], announced[1], [announced[1]])

    def proves(maker: list[str], prover: list[str]) -> bool:
        token = link_token(link_id, maker[0].encode())
        return read_link_token(token, [key.encode() for key in prover]) == link_id

    # Whoever is restarted first: a process one step ahead and one that is not yet understand each other.
    for one, other in ((before, announced), (announced, used), (used, dropped)):
        assert proves(one, other)
        assert proves(other, one)
    assert not proves(announced, dropped), "what the old key made is over"
    with pytest.raises(ValueError, match="announce"):
        after(Step.DROP, dropped, link_key)


async def test_a_signing_key_is_rotated_while_services_go_on_checking_tokens() -> None:
    """Auth's processes are restarted one after the other; each may answer for the keys or sign."""
    before = [signing_key()]
    announced = after(Step.ANNOUNCE, before, signing_key)
    used = after(Step.USE, announced, signing_key)
    dropped = after(Step.DROP, used, signing_key)
    for signs, publishes in (
        (before, announced),
        (announced, before),
        (announced, used),
        (used, announced),
        (used, dropped),
        (dropped, used),
    ):
        token = TokenIssuer(SigningKeys(signs), system_clock, timedelta(seconds=60)).for_service("a", "b")
        answer = httpx.MockTransport(
            lambda _, keys=publishes: httpx.Response(200, json=SigningKeys(keys).published())
        )
        async with httpx.AsyncClient(transport=answer) as http:
            verifier = TokenVerifier("b", PublishedKeys("http://auth", http))
            assert await verifier.verify(token) == ServiceCaller("a")


async def test_a_service_that_knows_the_old_keys_fetches_the_new_ones_when_it_meets_them() -> None:
    old, new = signing_key(), signing_key()
    published = SigningKeys([old])
    async with httpx.AsyncClient(
        transport=httpx.MockTransport(lambda _: httpx.Response(200, json=published.published()))
    ) as http:
        verifier = TokenVerifier("b", PublishedKeys("http://auth", http, again_after=0))
        for keys in ([old], [new, old], [new]):
            published = SigningKeys(keys)
            issuer = TokenIssuer(published, system_clock, timedelta(seconds=60))
            assert await verifier.verify(issuer.for_service("a", "b")) == ServiceCaller("a")


def test_the_command_prints_the_next_setting(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CHECK_DATA_HOME", str(tmp_path))
    monkeypatch.setenv("CHECK_DATA_CSRF_KEYS", json.dumps(["first"]))
    announced = CliRunner().invoke(app, ["keys", "csrf", "announce"]).stdout.strip()
    variable, _, keys = announced.partition("=")
    assert variable == "CHECK_DATA_CSRF_KEYS"
    assert json.loads(keys)[0] == "first"
    assert CliRunner().invoke(app, ["keys", "csrf", "drop"]).exit_code == 1
    assert CliRunner().invoke(app, ["keys", "door", "drop"]).exit_code == 2


def test_outside_development_a_service_without_a_secret_of_its_own_does_not_start() -> None:
    for secret in ("", "short", "x" * 40):
        with pytest.raises(typer.Exit):
            _must_prove_itself(CommonSettings(service_secret=SecretStr(secret)))
    _must_prove_itself(CommonSettings(service_secret=SecretStr(GOOD)))
    _must_prove_itself(CommonSettings(environment=Environment.DEVELOPMENT))

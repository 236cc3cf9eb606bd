"""What became of an email is known, for a while, to those who are asked about it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from notifications_python_client.errors import HTTPError
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from typer.testing import CliRunner

from services.cli.commands import app
from shared.contracts.emails import WhyUndelivered
from shared.email.mailer import Email, make_mailer
from shared.email.record import RecordedMailer, undelivered
from tests.notify import NOT_AN_ADDRESS, Notify, running_notify

EMAIL = Email("dana@example.org", "Your link", "Use it once.", "link-1")


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 9, 1, 9, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def notify() -> Iterator[Notify]:
    with running_notify() as notify:
        yield notify


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def mailer(engine: AsyncEngine, notify: Notify, clock: Clock) -> RecordedMailer:
    return RecordedMailer(engine, make_mailer(notify.settings, development=False), clock)


async def states(engine: AsyncEngine) -> dict[str, str]:
    async with engine.connect() as connection:
        rows = await connection.execute(text("SELECT reference, state FROM sent_emails"))
        return {row.reference: row.state for row in rows}


async def test_notify_gets_subject_body_and_reference(mailer: RecordedMailer, notify: Notify) -> None:
    await mailer.send(EMAIL)
    (sent,) = notify.sent
    assert sent["email_address"] == "dana@example.org"
    assert sent["personalisation"] == {"subject": EMAIL.subject, "body": EMAIL.body}
    assert sent["reference"] == "link-1"


@pytest.mark.parametrize("outcome", ["permanent-failure", "temporary-failure", "technical-failure"])
async def test_a_bounce_is_found_and_told(
    engine: AsyncEngine, mailer: RecordedMailer, notify: Notify, clock: Clock, outcome: str
) -> None:
    await mailer.send(EMAIL)
    await mailer.send(Email("ok@example.org", "Another", "Body", "link-2"))
    notify.outcomes = {notify.ids[0]: outcome, notify.ids[1]: "delivered"}
    await mailer.look_after()
    assert await undelivered(engine) == [], "it was asked too early"
    clock.now += timedelta(minutes=6)
    await mailer.look_after()
    (failed,) = await undelivered(engine)
    assert (failed.address, failed.subject, failed.why) == (EMAIL.to, EMAIL.subject, WhyUndelivered(outcome))
    assert await states(engine) == {"link-1": "failed", "link-2": "delivered"}


async def test_what_is_still_on_its_way_is_asked_again(
    engine: AsyncEngine, mailer: RecordedMailer, notify: Notify, clock: Clock
) -> None:
    await mailer.send(EMAIL)
    clock.now += timedelta(minutes=6)
    await mailer.look_after()
    notify.outcomes[notify.ids[0]] = "permanent-failure"
    clock.now += timedelta(minutes=6)
    await mailer.look_after()
    assert len(await undelivered(engine)) == 1


async def test_an_address_that_notify_refuses_is_told_and_not_tried_again(
    engine: AsyncEngine, mailer: RecordedMailer, notify: Notify
) -> None:
    notify.refuse = (400, NOT_AN_ADDRESS)
    await mailer.send(EMAIL)
    (failed,) = await undelivered(engine)
    assert failed.why is WhyUndelivered.REFUSED


@pytest.mark.parametrize("status", [400, 403, 429, 500])
async def test_other_trouble_with_notify_is_raised_to_be_tried_again(
    engine: AsyncEngine, mailer: RecordedMailer, notify: Notify, status: int
) -> None:
    notify.refuse = (status, {"status_code": status, "errors": [{"error": "x", "message": "trouble"}]})
    with pytest.raises(HTTPError):
        await mailer.send(EMAIL)
    assert await states(engine) == {}


async def test_it_is_forgotten_after_a_month(
    engine: AsyncEngine, mailer: RecordedMailer, notify: Notify, clock: Clock
) -> None:
    notify.refuse = (400, NOT_AN_ADDRESS)
    await mailer.send(EMAIL)
    clock.now += timedelta(days=31)
    await mailer.look_after()
    assert await states(engine) == {}


@pytest.mark.parametrize(
    ("there", "code"),
    [({"subject": "((subject))", "body": "((body))\r\n"}, 0), ({"subject": "Hello", "body": "((body))"}, 1)],
)
def test_the_command_tells_whether_notify_has_our_template(
    notify: Notify, monkeypatch: pytest.MonkeyPatch, there: dict[str, Any], code: int
) -> None:
    notify.template = there
    settings = notify.settings
    for name, value in {
        "NOTIFY_API_KEY": settings.notify_api_key.get_secret_value(),
        "NOTIFY_TEMPLATE_ID": settings.notify_template_id,
        "NOTIFY_URL": settings.notify_url,
    }.items():
        monkeypatch.setenv(f"CHECK_DATA_EMAIL_{name}", value)
    result = CliRunner().invoke(app, ["emails", "check"])
    assert result.exit_code == code, result.output

"""Emails reach the next hop whole, or the caller is told that they did not."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import aiosmtplib
import pytest
from pydantic import SecretStr

from services.gateway.pages.dev_inbox import Email as InboxEmail
from shared.email.mailer import Email, Mailer, Undeliverable, make_mailer
from shared.settings import EmailSettings

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LINK = f"https://check-data.example/sign-in/link/{'x' * 200}"
EMAIL = Email(
    "dana@example.org",
    "Your sign-in link – Schloß",
    f"Use this link:\n\n{LINK}\n.\nIt’s good once.\n",
    "link-1",
)


@dataclass
class Mailbox:
    """The other side of the wire: a tiny SMTP server (RFC 5321), which the library must get along with.

    refuse: answers to a command, by its first word.
    """

    refuse: dict[str, str] = field(default_factory=dict)
    commands: list[str] = field(default_factory=list)
    received: list[bytes] = field(default_factory=list)
    port: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mailbox.example\r\n")
        while line := (await reader.readline()).decode().strip():
            self.commands.append(line)
            word = line.split()[0].upper()
            if word in self.refuse:
                writer.write(f"{self.refuse[word]}\r\n".encode())
            elif word == "EHLO":
                writer.write(b"250-mailbox.example\r\n250-AUTH PLAIN\r\n250 8BITMIME\r\n")
            elif word == "AUTH":
                writer.write(b"235 welcome\r\n")
            elif word == "DATA":
                writer.write(b"354 go on\r\n")
                written = await reader.readuntil(b"\r\n.\r\n")
                self.received.append(written.removesuffix(b".\r\n").replace(b"\r\n..", b"\r\n."))
                writer.write(f"{self.refuse.get('.', '250 taken')}\r\n".encode())
            elif word == "QUIT":
                writer.write(b"221 bye\r\n")
                break
            else:
                writer.write(b"250 fine\r\n")
        writer.close()

    def messages(self) -> list[EmailMessage]:
        return [message_from_bytes(raw, policy=policy.default) for raw in self.received]


@asynccontextmanager
async def listening(mailbox: Mailbox) -> AsyncIterator[Mailbox]:
    server = await asyncio.start_server(mailbox.serve, "127.0.0.1", 0)
    mailbox.port = server.sockets[0].getsockname()[1]
    async with server:
        yield mailbox


@pytest.fixture
async def mailbox() -> AsyncIterator[Mailbox]:
    async with listening(Mailbox()) as mailbox:
        yield mailbox


def smtp(port: int, start_tls: bool = False, user: str = "", password: str = "") -> Mailer:
    settings = EmailSettings(
        via="smtp",
        smtp_port=port,
        smtp_start_tls=start_tls,
        smtp_user=user,
        smtp_password=SecretStr(password),
        sender="no-reply@check-data.example",
    )
    return make_mailer(settings, development=False)


async def test_smtp_carries_the_email_whole(mailbox: Mailbox) -> None:
    await smtp(mailbox.port).send(EMAIL)
    (message,) = mailbox.messages()
    assert message["from"] == "no-reply@check-data.example"
    assert message["to"] == EMAIL.to
    assert message["subject"] == EMAIL.subject
    assert message.get_content_type() == "text/plain"
    assert message.get_content().replace("\r\n", "\n") == EMAIL.body
    assert any(line.upper().startswith("RCPT TO:<DANA@EXAMPLE.ORG>") for line in mailbox.commands)


async def test_the_same_email_sent_again_can_be_told_by_its_message_id(mailbox: Mailbox) -> None:
    mailer = smtp(mailbox.port)
    for email in (EMAIL, EMAIL, Email("dana@example.org", "Another", "One", "link-2")):
        await mailer.send(email)
    first, again, other = [message["message-id"] for message in mailbox.messages()]
    assert first == again != other


async def test_smtp_signs_in_when_the_settings_say_so(mailbox: Mailbox) -> None:
    await smtp(mailbox.port, user="check-data", password="not-a-secret").send(EMAIL)
    assert any(line.startswith("AUTH") for line in mailbox.commands)
    assert len(mailbox.received) == 1


@pytest.mark.parametrize(
    "refusal",
    [
        {"EHLO": "421 not now", "HELO": "421 not now"},
        {"MAIL": "451 not now"},
        {"RCPT": "450 not now"},
        {"DATA": "452 no room"},
        {".": "554 not taken"},
    ],
    ids=["greeting", "sender", "recipient", "data", "end of data"],
)
async def test_what_the_server_does_not_take_is_an_error(refusal: dict[str, str]) -> None:
    async with listening(Mailbox(refuse=refusal)) as mailbox:
        with pytest.raises(aiosmtplib.SMTPException):
            await smtp(mailbox.port).send(EMAIL)


async def test_an_address_that_is_refused_for_good_is_undeliverable() -> None:
    async with listening(Mailbox(refuse={"RCPT": "550 nobody here"})) as mailbox:
        with pytest.raises(Undeliverable):
            await smtp(mailbox.port).send(EMAIL)


async def test_a_server_that_is_away_is_an_error() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, and nobody listens
        with pytest.raises(aiosmtplib.SMTPConnectError):
            await smtp(taken.getsockname()[1]).send(EMAIL)


async def test_nothing_is_said_in_the_open_when_tls_is_asked_for(mailbox: Mailbox) -> None:
    assert EmailSettings().smtp_start_tls is True
    with pytest.raises(aiosmtplib.SMTPException):
        await smtp(mailbox.port, start_tls=True, user="check-data", password="not-a-secret").send(EMAIL)
    assert mailbox.received == []
    assert not [line for line in mailbox.commands if line.split()[0] in {"AUTH", "MAIL", "RCPT"}]


@pytest.mark.parametrize(
    "email",
    [
        Email("dana@example.org", "Hello\r\nBcc: eve@example.net", "Body", "link-1"),
        Email("dana@example.org\r\nBcc: eve@example.net", "Hello", "Body", "link-1"),
    ],
)
async def test_a_line_break_adds_no_header(mailbox: Mailbox, email: Email) -> None:
    with pytest.raises(ValueError, match=r"linefeed|newline|header"):
        await smtp(mailbox.port).send(email)
    assert mailbox.received == []


def inbox(folder: Path) -> Mailer:
    settings = EmailSettings(via="inbox", inbox_folder=folder)
    return make_mailer(settings, development=True, clock=lambda: NOW)


async def test_the_inbox_has_a_file_that_its_page_can_read(tmp_path: Path) -> None:
    folder = tmp_path / "not" / "there" / "yet"
    await inbox(folder).send(EMAIL)
    assert files_in(folder) == ["link-1.json"]
    written = (folder / "link-1.json").read_bytes()
    assert InboxEmail.model_validate_json(written) == InboxEmail(
        id="link-1", sent_at=NOW, to=EMAIL.to, subject=EMAIL.subject, body=EMAIL.body
    )


async def test_readers_of_the_inbox_see_whole_files_only(tmp_path: Path) -> None:
    """A reader looks all the while at an email that is sent over and over, and is large."""
    mailer = inbox(tmp_path)
    large = Email("dana@example.org", "Long", "x" * 2_000_000, "long-1")
    await mailer.send(large)
    sending = asyncio.create_task(send_often(mailer, large))
    seen = 0
    while not sending.done():
        for document in await asyncio.to_thread(emails_in, tmp_path):
            assert document["body"] == large.body
            seen += 1
    await sending
    assert seen > 3
    assert files_in(tmp_path) == ["long-1.json"]


def emails_in(folder: Path) -> list[dict[str, str]]:
    return [json.loads(file.read_text()) for file in folder.glob("*.json")]


def files_in(folder: Path) -> list[str]:
    return [file.name for file in folder.iterdir()]


async def send_often(mailer: Mailer, email: Email) -> None:
    for _ in range(8):
        await mailer.send(email)


async def test_sending_the_same_again_leaves_one_email(tmp_path: Path) -> None:
    mailer = inbox(tmp_path)
    await mailer.send(EMAIL)
    await mailer.send(EMAIL)
    assert files_in(tmp_path) == ["link-1.json"]


def test_the_inbox_is_refused_outside_development(tmp_path: Path) -> None:
    settings = EmailSettings(via="inbox", inbox_folder=tmp_path)
    with pytest.raises(ValueError, match="for development only"):
        make_mailer(settings, development=False)

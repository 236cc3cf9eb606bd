"""The ways an email can go: SMTP, GOV.UK Notify, or the development inbox."""

import asyncio
import json
from dataclasses import asdict, dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Protocol

import aiosmtplib
from notifications_python_client.notifications import NotificationsAPIClient

from shared.clock import Clock, system_clock
from shared.settings import EmailSettings


@dataclass(frozen=True, slots=True)
class Email:
    """reference: the same for each try of the same email, so that a provider can tell."""

    to: str
    subject: str
    body: str
    reference: str


class Mailer(Protocol):
    async def send(self, email: Email) -> None:
        """Returns when the next hop has taken it over. Raises when it has not; trying again is safe."""
        ...


class SmtpMailer:
    def __init__(self, settings: EmailSettings) -> None:
        self._settings = settings

    async def send(self, email: Email) -> None:
        message = EmailMessage()
        message["From"] = self._settings.sender
        message["To"] = email.to
        message["Subject"] = email.subject
        message["Message-ID"] = f"<{email.reference}@check-data>"  # the same again: who has it can tell
        message.set_content(email.body)
        await aiosmtplib.send(
            message,
            hostname=self._settings.smtp_host,
            port=self._settings.smtp_port,
            username=self._settings.smtp_user or None,
            password=self._settings.smtp_password.get_secret_value() or None,
            start_tls=self._settings.smtp_start_tls,
            timeout=10,
        )


class NotifyMailer:
    """GOV.UK Notify, through its client, which blocks: so in a thread."""

    def __init__(self, settings: EmailSettings) -> None:
        self._client = NotificationsAPIClient(  # type: ignore[no-untyped-call]
            settings.notify_api_key.get_secret_value()
        )
        self._template = settings.notify_template_id

    async def send(self, email: Email) -> None:
        await asyncio.to_thread(
            self._client.send_email_notification,
            email_address=email.to,
            template_id=self._template,
            personalisation={"subject": email.subject, "body": email.body},
            reference=email.reference,
        )


class InboxMailer:
    """Files that the development inbox page shows. Never in production: the body holds a sign-in link."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._folder = folder
        self._clock = clock

    async def send(self, email: Email) -> None:
        await asyncio.to_thread(self._write, email)

    def _write(self, email: Email) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        document = {"id": email.reference, "sent_at": self._clock().isoformat(), **asdict(email)}
        file = self._folder / f"{email.reference}.json"
        unfinished = file.with_suffix(".part")
        unfinished.write_text(json.dumps(document))
        unfinished.replace(file)  # readers see a whole file or none


def make_mailer(settings: EmailSettings, *, development: bool, clock: Clock = system_clock) -> Mailer:
    """The mailer that the settings ask for. Raises ValueError for the inbox outside development."""
    match settings.via:
        case "inbox" if development:
            return InboxMailer(settings.inbox_folder, clock)
        case "inbox":
            raise ValueError("CHECK_DATA_EMAIL_VIA=inbox is for development only: use smtp or notify")
        case "notify":
            return NotifyMailer(settings)
        case _:
            return SmtpMailer(settings)

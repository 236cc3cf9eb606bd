"""The ways an email can go: SMTP, GOV.UK Notify, or the development inbox."""

import asyncio
import json
from dataclasses import asdict, dataclass
from email.message import EmailMessage
from enum import StrEnum
from http import HTTPStatus
from pathlib import Path
from typing import Protocol, runtime_checkable

import aiosmtplib
from notifications_python_client.errors import HTTPError
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


class Undeliverable(Exception):
    """This address takes no email, so trying again is of no use."""


class Mailer(Protocol):
    async def send(self, email: Email) -> str | None:
        """Returns when the next hop has taken it over: its own ID of the email, when it can be asked for it.

        Raises Undeliverable, or something else when it was not taken; then trying again is safe.
        """
        ...


class Outcome(StrEnum):
    """What became of an email that was taken over. UNKNOWN: not known yet, or never."""

    UNKNOWN = "unknown"
    DELIVERED = "delivered"
    PERMANENT_FAILURE = "permanent-failure"
    TEMPORARY_FAILURE = "temporary-failure"
    TECHNICAL_FAILURE = "technical-failure"


@runtime_checkable
class Tracks(Protocol):
    """A mailer whose next hop can be asked."""

    async def outcome(self, provider_id: str) -> Outcome: ...


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
        try:
            await aiosmtplib.send(
                message,
                hostname=self._settings.smtp_host,
                port=self._settings.smtp_port,
                username=self._settings.smtp_user or None,
                password=self._settings.smtp_password.get_secret_value() or None,
                start_tls=self._settings.smtp_start_tls,
                timeout=10,
            )
        except aiosmtplib.SMTPRecipientsRefused as error:
            # 4xx is "not now" (RFC 5321, 4.2.1). Its words quote the address, and go no further.
            if all(refusal.code >= 500 for refusal in error.recipients):
                raise Undeliverable from None
            raise


class NotifyMailer:
    """GOV.UK Notify, through its client, which blocks: so in a thread, with a client of its own for each."""

    def __init__(self, settings: EmailSettings) -> None:
        self._settings = settings

    async def send(self, email: Email) -> str | None:
        try:
            taken = await asyncio.to_thread(
                notify_client(self._settings).send_email_notification,
                email_address=email.to,
                template_id=self._settings.notify_template_id,
                personalisation={"subject": email.subject, "body": email.body},
                reference=email.reference,
            )
        except HTTPError as error:
            if error.status_code == HTTPStatus.BAD_REQUEST and "email_address" in str(error.message):
                raise Undeliverable from None
            raise
        return str(taken["id"])

    async def outcome(self, provider_id: str) -> Outcome:
        told = await asyncio.to_thread(notify_client(self._settings).get_notification_by_id, provider_id)
        return Outcome(told["status"]) if told["status"] in set(Outcome) else Outcome.UNKNOWN


def notify_client(settings: EmailSettings) -> NotificationsAPIClient:
    """For one thread: it is not safe to share."""
    return NotificationsAPIClient(  # type: ignore[no-untyped-call]
        settings.notify_api_key.get_secret_value(), base_url=settings.notify_url, timeout=10
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

"""The email template that GOV.UK Notify holds, compared with the one in the repository."""

from pathlib import Path

import typer

import shared.email
from services.cli.configuration import settings_told_by_name
from shared.email.mailer import notify_client
from shared.settings import EmailSettings

TEMPLATE = Path(shared.email.__file__).parent / "notify_template.txt"


def check_template() -> None:
    """Ends with 1 when they differ, and prints what to put into Notify: its API takes no templates."""
    with settings_told_by_name():
        settings = EmailSettings()
    if not settings.notify_template_id or not settings.notify_api_key.get_secret_value():
        typer.echo("Set CHECK_DATA_EMAIL_NOTIFY_API_KEY and CHECK_DATA_EMAIL_NOTIFY_TEMPLATE_ID.", err=True)
        raise typer.Exit(2)
    client = notify_client(settings)
    there = client.get_template(settings.notify_template_id)  # type: ignore[no-untyped-call]
    subject, _, body = TEMPLATE.read_text().partition("\n\n")
    if (_plain(there["subject"]), _plain(there["body"])) == (subject.strip(), body.strip()):
        typer.echo("The template in GOV.UK Notify is the one of this version.")
        return
    typer.echo(
        "The template in GOV.UK Notify differs. Edit it there, since its API takes none:\n\n"
        f"Subject:\n{subject}\n\nMessage:\n{body}",
        err=True,
    )
    raise typer.Exit(1)


def _plain(text: str) -> str:
    return text.replace("\r\n", "\n").strip()

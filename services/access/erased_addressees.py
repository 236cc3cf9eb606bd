"""Emails to people who were erased meanwhile are not sent: there is no address any more."""

from services.access.domain.person_details import ERASED_DOMAIN
from shared.email import Email, Mailer


class NotToTheErased:
    """A mailer, for those who are still known."""

    def __init__(self, mailer: Mailer) -> None:
        self._mailer = mailer

    async def send(self, email: Email) -> None:
        if not email.to.endswith(f"@{ERASED_DOMAIN}"):
            await self._mailer.send(email)

"""Emails: plain text, sent one at a time by workers."""

from shared.email.mailer import Email, Mailer
from shared.email.record import undelivered
from shared.email.sending import open_mailer

__all__ = ["Email", "Mailer", "open_mailer", "undelivered"]

"""Emails: plain text, sent one at a time by workers."""

from shared.email.mailer import Email, Mailer, make_mailer
from shared.email.record import RecordedMailer, undelivered

__all__ = ["Email", "Mailer", "RecordedMailer", "make_mailer", "undelivered"]

"""Emails: plain text, sent one at a time by workers."""

from shared.email.mailer import Email, Mailer, make_mailer

__all__ = ["Email", "Mailer", "make_mailer"]

"""Names and email addresses as people type them → as they are kept and compared."""

import re
import unicodedata
from dataclasses import dataclass
from typing import Final

from services.access.domain.refusals import MalformedEmail, MalformedName
from services.access.domain.vocabulary import PersonId

LONGEST_EMAIL = 254
LONGEST_LOCAL_PART = 64
LONGEST_NAME = 255

LOCAL_PART = re.compile(r"[\w!#$%&'*+/=?^`{|}~-]+(\.[\w!#$%&'*+/=?^`{|}~-]+)*")
LABEL = re.compile(r"[^\W_]((?:[^\W_]|-){0,61}[^\W_])?")

ERASED_NAME: Final = "(erased)"
ERASED_DOMAIN: Final = "erased.invalid"
"""Where nobody's mailbox ever is (RFC 2606)."""


def erased_address(person_id: PersonId) -> str:
    """What stands for the address of who was erased: one for each, so that nobody is taken for another."""
    return f"{person_id}@{ERASED_DOMAIN}"


@dataclass(frozen=True, slots=True)
class EmailAddress:
    """address: what is written to, as it was typed. key: by which two spellings are the same mailbox."""

    address: str
    key: str


def email_address(typed: str) -> EmailAddress:
    """Return the address, trimmed and in Unicode's composed form (NFC), with its key.

    Raises MalformedEmail with a sentence when it is not exactly one mailbox of at most 254 characters.
    Letters that comparing without case would turn into others (ß and ss, ſ and s, ﬁ and fi, full-width
    forms) are refused: two people's mailboxes must never be taken for one.
    Source: docs/domain.md §5, RFC 5321 §4.5.3.1, RFC 6532 §3.1.
    """
    address = unicodedata.normalize("NFC", typed.strip())
    if not address:
        raise MalformedEmail("Enter an email address.")
    if any(unicodedata.category(character)[0] in "CZ" for character in address):
        raise MalformedEmail("An email address has no spaces and no invisible characters. Type it again.")
    if len(address) > LONGEST_EMAIL or len(address.encode()) > LONGEST_EMAIL:
        raise MalformedEmail(f"An email address has at most {LONGEST_EMAIL} characters.")
    local_part, at, domain = address.rpartition("@")
    if not at or not local_part:
        raise MalformedEmail("Enter an email address in full, like name@example.org.")
    if "@" in local_part or not LOCAL_PART.fullmatch(local_part) or len(local_part) > LONGEST_LOCAL_PART:
        raise MalformedEmail("Enter one email address, without a name, brackets or commas around it.")
    labels = domain.split(".")
    if (
        len(labels) < 2
        or labels[-1].isdigit()
        or not all(LABEL.fullmatch(label) for label in labels)
        or domain.casefold() == ERASED_DOMAIN
    ):
        raise MalformedEmail("Check the part after the @ sign: it should look like example.org.")
    key = email_key(address)
    if unicodedata.normalize("NFKC", address).lower() != key or address.lower() != key:
        raise MalformedEmail("Use plain letters in the email address: some of these look like others.")
    return EmailAddress(address, key)


def email_key(address: str) -> str:
    """By which two spellings are the same mailbox. For addresses that email_address accepted once."""
    return unicodedata.normalize("NFC", address.casefold())


def full_name(typed: str) -> str:
    """Return the name, trimmed, spaces squeezed, in composed form. Raises MalformedName with a sentence."""
    name = " ".join(unicodedata.normalize("NFC", typed).split())
    if not name:
        raise MalformedName("Enter the full name.")
    if len(name) > LONGEST_NAME:
        raise MalformedName(f"A name has at most {LONGEST_NAME} characters.")
    if any(unicodedata.category(character)[0] == "C" for character in name):
        raise MalformedName("A name has no invisible characters. Type it again.")
    return name

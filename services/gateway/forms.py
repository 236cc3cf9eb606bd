"""Forms as people send them: guarded against forgery, read, and told what is wrong."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from math import ceil
from typing import Annotated, Final, TypeVar
from uuid import UUID

from fastapi import Depends, HTTPException, Request

from services.gateway.backend import Refusal
from services.gateway.csrf import FormTokens
from services.gateway.dates import number
from services.gateway.language import N_, Sentences, gettext, ngettext, told
from services.gateway.session import cookies_of

Choice = TypeVar("Choice", bound=StrEnum)

PROOF_FIELD: Final = "form_proof"
LARGEST_FORM: Final = 100_000
"""Bytes. The longest field has 2,000 characters."""
FORM_TYPE: Final = "application/x-www-form-urlencoded"
FILE_FORM_TYPE: Final = "multipart/form-data"
TAKES_FILES: Final = frozenset({"/staff/access-requests/import", "/staff/agreements/import"})
"""Pages whose form brings a file."""
LARGEST_FILE_FORM: Final = 2_000_000
"""Bytes. More than any such file may have, so that one that is too long is told so beside the form."""
LONGEST_NAME, LONGEST_EMAIL, LONGEST_REASON = 255, 254, 2000
LONGEST_CSV: Final = 60_000
EMAIL: Final = re.compile(r"^[^@\s]+@[^@\s]+\.[^@\s.]+$")
NOT_PRINTABLE: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
ANSWERABLE: Final = frozenset({400, 403, 409, 410, 422, 429})
"""Refusals that are told beside the form; the others have pages of their own."""
WHOLE_FORM: Final = ""
"""Key of an error that is about no field in particular."""
INCOMPLETE_DAY: Final = Sentences(
    {
        "day": N_("%(what)s must include a day"),
        "month": N_("%(what)s must include a month"),
        "year": N_("%(what)s must include a year"),
    }
)
"""By the input that is empty."""


class Forged(Exception):
    """The form did not come from a page of this visit (or the visit is long over)."""


async def no_forgery(request: Request) -> None:
    """A dependency of every page: what is not a GET must be one of our own forms. Raises Forged."""
    if request.method in ("GET", "HEAD", "OPTIONS"):
        return
    brings_file = request.url.path in TAKES_FILES
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != FORM_TYPE and not (brings_file and media_type == FILE_FORM_TYPE):
        raise HTTPException(415)
    length = request.headers.get("content-length", "")
    if not length.isdecimal():
        raise HTTPException(411)
    if int(length) > (LARGEST_FILE_FORM if brings_file else LARGEST_FORM):
        raise HTTPException(413)
    cookies = cookies_of(request)
    binding = cookies.session_of(request) or cookies.visit_of(request)
    sent = (await request.form()).get(PROOF_FIELD)
    tokens: FormTokens = request.app.state.form_tokens
    if binding is None or not isinstance(sent, str) or not tokens.proves(sent, binding):
        raise Forged


@dataclass(slots=True)
class Form:
    """What somebody typed, trimmed, and what is wrong with it, by field."""

    values: Mapping[str, str] = field(default_factory=dict)
    lists: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Every value of each field, for boxes of which several may be ticked."""
    files: Mapping[str, bytes] = field(default_factory=dict)
    """What was uploaded, as it came."""
    errors: dict[str, str] = field(default_factory=dict)
    anchors: dict[str, str] = field(default_factory=dict)
    """Where the error summary's link goes, for fields made of several inputs."""

    def text(self, name: str, missing: str, longest: int = LONGEST_NAME) -> str:
        """The text of a field that must be filled in."""
        value = self.values.get(name, "")
        if not value:
            self.errors[name] = missing
        elif len(value) > longest:
            self.errors[name] = gettext(
                "Use %(longest)s characters or fewer. You have used %(used)s.",
                longest=number(longest),
                used=number(len(value)),
            )
        elif NOT_PRINTABLE.search(value):
            self.errors[name] = gettext("Remove the control characters, then try again.")
        return value

    def email(self, name: str, missing: str) -> str:
        value = self.text(name, missing, LONGEST_EMAIL)
        if name not in self.errors and not EMAIL.match(value):
            self.errors[name] = gettext("Enter an email address in the correct format, like name@example.com")
        return value

    def choice(self, name: str, of: type[Choice], missing: str) -> Choice | None:
        try:
            return of(self.values.get(name, ""))
        except ValueError:
            self.errors[name] = missing
            return None

    def chosen(self, name: str, of: type[Choice]) -> Choice | None:
        """What was chosen of a list that may be left alone."""
        try:
            return of(self.values.get(name, ""))
        except ValueError:
            return None

    def identity(self, name: str, missing: str) -> UUID | None:
        """An ID, mostly one that was chosen from a list."""
        try:
            return UUID(self.values.get(name, ""))
        except ValueError:
            self.errors[name] = missing
            return None

    def identities(self, name: str, missing: str) -> list[UUID]:
        """The IDs of the boxes that were ticked."""
        try:
            found = [UUID(value) for value in self.lists.get(name, ())]
        except ValueError:
            found = []
        if not found:
            self.errors[name] = missing
        return found

    def day(self, name: str, missing: str, what: str) -> date | None:
        """A date of three inputs. what: such as "The date that the agreement starts"."""
        typed = {part: self.values.get(f"{name}-{part}", "") for part in INCOMPLETE_DAY}
        empty = next((part for part, value in typed.items() if not value), None)
        self.anchors[name] = f"{name}-{empty or 'day'}"
        if not any(typed.values()):
            self.errors[name] = missing
        elif empty is not None:
            self.errors[name] = INCOMPLETE_DAY[empty] % {"what": what}
        elif (found := _real_day(**typed)) is not None:
            return found
        else:
            self.errors[name] = gettext("%(what)s must be a real date, such as 27 3 2026", what=what)
        return None

    def refused(self, refusal: Refusal, fields: Iterable[str]) -> None:
        """`tell`, or raise the refusal when it is none of ANSWERABLE."""
        if refusal.status not in ANSWERABLE:
            raise refusal
        self.tell(refusal, fields)

    def tell(self, refusal: Refusal, fields: Iterable[str]) -> None:
        """Say what a service said no to: at its fields, as far as this form has them."""
        known = frozenset(fields)
        for error in refusal.errors:
            if error.field in known:
                self.errors.setdefault(error.field, told(error.message))
        if not self.errors:
            self.errors[WHOLE_FORM] = refusal_in_words(refusal)

    @property
    def summary(self) -> list[dict[str, str]]:
        """For the error summary: sentences, each with a link to its field."""
        return [
            {"text": message} | ({"href": f"#{self.anchors.get(name, name)}"} if name else {})
            for name, message in self.errors.items()
        ]


def refusal_in_words(refusal: Refusal) -> str:
    """Why a service said no, and what to do next."""
    if refusal.status == 429 and refusal.retry_after and refusal.retry_after.isdecimal():
        minutes = ceil(int(refusal.retry_after) / 60)
        return ngettext(
            "You have tried too many times. Try again in %(num)s minute.",
            "You have tried too many times. Try again in %(num)s minutes.",
            minutes,
        )
    said: str = told(refusal.detail)
    return said or gettext("This cannot be done now. Load the page again.")


def _real_day(day: str, month: str, year: str) -> date | None:
    if not all(part.isascii() and part.isdigit() for part in (day, month, year)) or len(year) != 4:
        return None
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None


async def read_form(request: Request) -> Form:
    """What was sent. Of a field that was sent several times, values has the first, lists has all."""
    lists: dict[str, tuple[str, ...]] = {}
    files: dict[str, bytes] = {}
    for name, value in (await request.form()).multi_items():
        if isinstance(value, str):
            lists[name] = (*lists.get(name, ()), value.strip())
        elif value.filename:
            files[name] = await value.read()
    return Form({name: values[0] for name, values in lists.items()}, lists, files)


Sent = Annotated[Form, Depends(read_form)]

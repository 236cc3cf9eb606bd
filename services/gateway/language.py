"""The language of the page that is being made: its sentences, by GNU gettext, for this request.

A sentence is written in English where it is used, and is its own key in the catalogues. What a catalogue does
not have is said in English. `N_` marks a sentence that is said later.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from gettext import NullTranslations
from typing import Any, Final, TypeVar

Key = TypeVar("Key")


@dataclass(frozen=True, slots=True)
class Language:
    """tag: as BCP 47 and `lang` have it. name: as its speakers call it. switch: the invitation, in it.

    formats: the locale of CLDR by which dates and numbers are written.
    """

    tag: str
    name: str
    switch: str
    formats: str
    translations: NullTranslations = field(default_factory=NullTranslations, repr=False, compare=False)


ENGLISH: Final = Language("en", "English", "Change the language to English", "en_GB")

_present: Final[ContextVar[Language]] = ContextVar("language", default=ENGLISH)


def present_language() -> Language:
    return _present.get()


def speak(language: Language) -> None:
    """From here on in this task, and what it starts."""
    _present.set(language)


@contextmanager
def speaking(language: Language) -> Iterator[None]:
    before = _present.set(language)
    try:
        yield
    finally:
        _present.reset(before)


def gettext(message: str, **values: object) -> str:
    """The sentence in the present language, with named values for its %(name)s."""
    said = _present.get().translations.gettext(message)
    return said % values if values else said


def ngettext(one: str, many: str, number: int, **values: object) -> str:
    """The form that goes with the number, which it may name as %(num)s."""
    said = _present.get().translations.ngettext(one, many, number)
    return said % {"num": number, **values}


def N_(message: str) -> str:
    """Marks a sentence for the catalogue, to be said by `gettext` when a page is made."""
    return message


class Sentences(Mapping[Key, str]):
    """Sentences by key. Reading one gives it in the present language."""

    def __init__(self, messages: Mapping[Key, str]) -> None:
        self._messages = dict(messages)

    def __getitem__(self, key: Key) -> str:
        return gettext(self._messages[key])

    def __iter__(self) -> Iterator[Key]:
        return iter(self._messages)

    def __len__(self) -> int:
        return len(self._messages)


def told(message: Any) -> Any:
    """A sentence that another service wrote: it is its own key, as all are. Others stay as they are."""
    return gettext(message) if isinstance(message, str) and message else message

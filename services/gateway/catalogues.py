"""The languages that there are sentences in: a catalogue for each, in locales/TAG/LC_MESSAGES/messages.po.

Catalogues are read as translators write them, once, when the gateway starts: nothing is to be compiled.
"""

from functools import cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path
from typing import Final

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from services.gateway.language import ENGLISH, Language

LOCALES: Final = Path(__file__).parent / "locales"
CATALOGUE: Final = Path("LC_MESSAGES") / "messages.po"
PSEUDO: Final = "en-XA"
"""The tag of CLDR's pseudo-language: all sentences are there, and can be told from what is no sentence."""
BEFORE, AFTER = "⟦", "⟧"
NAMES: Final = {
    "cy": ("Cymraeg", "Newid yr iaith i’r Gymraeg", "cy"),
    PSEUDO: ("Pseudo", "Change the language to brackets", ENGLISH.formats),
}
"""How speakers call a language, how they are asked into it, and its locale in CLDR."""


class Bracketed(NullTranslations):
    """Each sentence in brackets, so that what has none cannot be translated."""

    def gettext(self, message: str) -> str:
        return f"{BEFORE}{message}{AFTER}"

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return f"{BEFORE}{msgid1 if n == 1 else msgid2}{AFTER}"


def available() -> tuple[str, ...]:
    """Tags of the languages that pages can be shown in."""
    return (ENGLISH.tag, *sorted(file.parents[1].name for file in LOCALES.glob(f"*/{CATALOGUE}")))


@cache
def language(tag: str) -> Language:
    """Raises FileNotFoundError when there is no catalogue."""
    if tag == ENGLISH.tag:
        return ENGLISH
    name, switch, formats = NAMES[tag]
    return Language(tag, name, switch, formats, Bracketed() if tag == PSEUDO else _read(tag))


def _read(tag: str) -> GNUTranslations:
    """Without the sentences that are not translated yet, or marked as fuzzy."""
    with (LOCALES / tag / CATALOGUE).open("rb") as file:
        catalogue = read_po(file, locale=tag)
    compiled = BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return GNUTranslations(compiled)

"""What a page says outside the brackets of the pseudo-language: words that no catalogue can translate."""

import re
from collections.abc import Collection, Sequence
from html.parser import HTMLParser
from typing import Final

from services.gateway.catalogues import AFTER, BEFORE

SPOKEN: Final = frozenset({"aria-label", "alt", "title", "placeholder"})
NOT_SAID: Final = frozenset({"script", "style", "code", "noscript"})
WITHOUT_END: Final = frozenset({"br", "hr", "img", "input", "link", "meta", "wbr"})
PEOPLES_OWN: Final = "app-own-lines"
"""The class of what people wrote themselves."""
BRAND: Final = "– GOV.UK"
WORD: Final = re.compile(r"[^\W\d_]{2,}")
NO_WORDS: Final = re.compile(r"\S*[\d@/.]\S*")
"""Numbers, addresses, identifiers, names of files."""
IN_NAMES: Final = frozenset({"of", "and", "for", "the", "in", "on", "de", "der", "van"})


class _Reader(HTMLParser):
    """Collects texts, but for what is in brackets, is told to be in English, or was written by people."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._depth = 0
        self._skipped: list[str] = []
        """The element that is not looked at, and those inside it."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in WITHOUT_END:
            return
        found = {name: value or "" for name, value in attrs}
        english = found.get("lang") == "en" and tag != "html"
        own = PEOPLES_OWN in found.get("class", "").split()
        if self._skipped or tag in NOT_SAID or english or own:
            self._skipped.append(tag)
            return
        self.found += [_outside(found[name], 0)[0] for name in SPOKEN & found.keys()]

    def handle_endtag(self, tag: str) -> None:
        if self._skipped and tag == self._skipped[-1]:
            self._skipped.pop()

    def handle_data(self, data: str) -> None:
        if not self._skipped:
            outside, self._depth = _outside(data, self._depth)
            self.found.append(outside)


def _outside(text: str, depth: int) -> tuple[str, int]:
    kept = []
    for letter in text:
        depth += letter == BEFORE
        if depth == 0:
            kept.append(letter)
        depth -= letter == AFTER
    return "".join(kept), depth


def untranslated(html: str, sentences: Collection[str] = ()) -> list[str]:
    """Texts that are neither sentences in brackets nor data. sentences: such as should have been translated.

    Data are names: each word of theirs begins with a capital, but for a few; or they have digits or signs.
    """
    reader = _Reader()
    reader.feed(html)
    reader.close()
    texts = [" ".join(text.replace(BRAND, " ").split()) for text in reader.found]
    return [text for text in texts if text and (text in sentences or not _is_data(text))]


def forms(message: str | Sequence[str] | None) -> list[str]:
    """Of a sentence in a catalogue: one, or one for each kind of number."""
    return [message] if isinstance(message, str) else list(message or ())


def _is_data(text: str) -> bool:
    words = set(WORD.findall(NO_WORDS.sub(" ", text)))
    return all(word[0].isupper() for word in words - IN_NAMES)

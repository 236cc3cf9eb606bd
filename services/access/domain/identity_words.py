"""The words by which a person is known, taken out of what others wrote about them."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from services.access.domain.person_details import ERASED_NAME

SHORTEST_PART: Final = 3
"""Shorter parts of a name are more often another word."""


@dataclass(frozen=True, slots=True)
class IdentityWords:
    """Names, parts of names, and addresses. In any case: rather a word too many than one too few."""

    words: frozenset[str]

    def out_of(self, value: Any) -> Any:
        """The same JSON value, with each of the words written over where it stands as a word of its own."""
        match value:
            case str() if self.words:
                return self._pattern.sub(ERASED_NAME, value)
            case list():
                return [self.out_of(one) for one in value]
            case dict():
                return {name: self.out_of(one) for name, one in value.items()}
        return value

    @property
    def _pattern(self) -> re.Pattern[str]:
        longest_first = sorted(map(re.escape, self.words), key=len, reverse=True)
        return re.compile(rf"(?<!\w)(?:{'|'.join(longest_first)})(?!\w)", re.IGNORECASE)


def identity_words(names: Iterable[str], addresses: Iterable[str]) -> IdentityWords:
    """Of everything that a person was ever called."""
    whole = [name for name in names if name != ERASED_NAME]
    parts = [part for name in whole for part in name.split() if len(part) >= SHORTEST_PART]
    return IdentityWords(frozenset([*whole, *parts, *addresses]))

"""What is no secret: short, of few characters, or a word that everybody tries first."""

from typing import Final

SHORTEST_KEY: Final = 32
"""Bytes of a key or secret at least."""
FEWEST_CHARACTERS: Final = 10
"""Different ones. Of 32 random characters of base64 or hexadecimal digits fewer are as good as impossible."""
GUESSED_FIRST: Final = ("change-me", "changeme", "default", "example", "password", "not-a-secret")


def too_short(key: str) -> bool:
    return len(key.encode()) < SHORTEST_KEY


def guessable(key: str) -> bool:
    """Whether it looks typed, not made. Told of keys outside development only: tests type theirs."""
    lower = key.lower()
    return len(set(key)) < FEWEST_CHARACTERS or any(word in lower for word in GUESSED_FIRST)

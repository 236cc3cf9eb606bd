"""Watches the whole suite: no log of any test, and nothing that a system of it leaves, holds a secret.

test_canaries.py knows what it looks for; here what has the form of a token or of somebody's address is looked
for, wherever any test leads. (What tests print themselves is looked at too: it would be in a log of CI.)
"""

import asyncio
import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pytest

from tests.security.canaries import Canaries, Finding, of_databases, of_logs

TOKENS: Final = (
    re.compile(r"(?<![\w.-])[\w-]{22}\.[\w-]{43}(?![\w-])"),  # a link's
    re.compile(r"eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{20,}"),  # an internal one
)
PEOPLE: Final = (re.compile(r"[\w.+'-]+@[\w.-]*(?:\bexample\.(?:org|com|net)|\.example)\b"),)


@dataclass(slots=True)
class Lookalikes(Canaries):
    """Whatever has the form of a token or of an address."""

    tokens: set[str] = field(default_factory=set)
    people: set[str] = field(default_factory=set)

    def tokens_in(self, text: str) -> set[str]:
        return {found[0] for pattern in TOKENS for found in pattern.finditer(text)}

    def people_in(self, text: str) -> set[str]:
        return {found[0] for pattern in PEOPLE for found in pattern.finditer(text)}


def said_by(report: pytest.TestReport) -> list[Finding]:
    """In what was captured while a test ran."""
    return [
        Finding(name, canary)
        for name, text in report.sections
        for canary in sorted(Lookalikes().all_in(text))
    ]


def left_by(home: Path) -> list[Finding]:
    """In the logs of a system that ran, and (tokens) in its databases, which still run."""
    return of_logs(home / "log", Lookalikes()) + asyncio.run(of_databases(environments(home), Lookalikes()))


def environments(home: Path) -> dict[str, dict[str, str]]:
    return {file.stem: json.loads(file.read_text()) for file in (home / "environment").glob("*.json")}

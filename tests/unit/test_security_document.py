"""docs/security.md names the test that holds each threat: each of them exists, in the file that it says."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs" / "security.md").read_text()
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", DOCUMENT)))
THREAT = re.compile(r"^\| [STRIDE] \| .*$", re.MULTILINE)


@pytest.mark.parametrize(("file", "test"), NAMED)
def test_each_named_test_exists(file: str, test: str) -> None:
    assert re.search(rf"^(async )?def {test}\(", (ROOT / file).read_text(), re.MULTILINE)


def test_each_threat_names_a_test() -> None:
    threats = THREAT.findall(DOCUMENT)
    assert len(threats) > 40
    assert [threat for threat in threats if "::test_" not in threat] == []


def test_each_kind_of_threat_was_thought_of() -> None:
    assert {threat[2] for threat in THREAT.findall(DOCUMENT)} == set("STRIDE")


def test_each_chapter_of_the_standard_is_in_the_map() -> None:
    assert [int(number) for number in re.findall(r"^\| V(\d+) ", DOCUMENT, re.MULTILINE)] == [*range(1, 18)]

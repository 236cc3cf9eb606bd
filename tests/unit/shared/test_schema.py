"""Which schema is good enough for which code."""

import pytest

from services.cli.catalogue import WITH_DATABASE
from shared.database.schema import lines_of, missing

LINES = {
    "access_2": frozenset({"access_1", "access_2"}),
    "floor_3": frozenset({"floor_1", "floor_2", "floor_3"}),
}


@pytest.mark.parametrize(
    ("present", "lacking"),
    [
        (["access_2", "floor_3"], []),
        (["access_1", "floor_3"], ["access_2"]),
        (["access_2"], ["floor_3"]),
        ([], ["access_2", "floor_3"]),
        (["access_3", "floor_3"], []),
        (["access_3", "floor_4"], []),
        (["access_3", "floor_2"], ["floor_3"]),
    ],
    ids=[
        "as wanted",
        "one is older",
        "one is not there",
        "nothing",
        "one is newer",
        "newer",
        "newer and older",
    ],
)
def test_what_a_later_release_migrated_is_enough_and_what_is_older_is_not(
    present: list[str], lacking: list[str]
) -> None:
    assert missing(LINES, present) == lacking


@pytest.mark.parametrize("service", WITH_DATABASE)
def test_each_service_knows_the_ends_of_its_migrations(service: str) -> None:
    lines = lines_of(service)
    assert any("backbone_0001" in line for line in lines.values())
    assert missing(lines, lines) == []
    for head, line in lines.items():
        before = line - {head}
        assert head in missing(lines, before), "the release before its migration"

"""The decision tables of docs/domain.md, which policy staff read, are those of the code and of its oracle."""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pytest

from services.participants.domain.decision import (
    ELIGIBILITY,
    FUNDING,
    MENTORING,
    NOT_REGISTERED,
    OUTWEIGHS_CHECKS,
    TRAINING,
    VALIDATION,
    Rule,
)
from services.participants.domain.status import State, Status
from tests.unit.participants.test_status_table import ROWS

DOCUMENT = (Path(__file__).parents[3] / "docs" / "domain.md").read_text()
QUOTED = re.compile(r"`([^`]+)`")
LAST = Rule(NOT_REGISTERED.rule, NOT_REGISTERED.state, lambda _: True)
PARTS: Mapping[str, Sequence[Rule]] = {
    "**T, training**": (*TRAINING, LAST),
    "**V, validation**": VALIDATION,
    "**E, eligibility**": ELIGIBILITY,
    "**F, funding**": FUNDING,
    "**M, mentoring**": MENTORING,
}


def rows_after(heading: str) -> list[list[str]]:
    """The cells of the first table after a heading, without its head."""
    lines = DOCUMENT.split(heading, 1)[1].splitlines()
    start = next(n for n, line in enumerate(lines) if line.startswith("|"))
    table = []
    for line in lines[start:]:
        if not line.startswith("|"):
            break
        table.append([cell.strip() for cell in line.strip("|").split("|")])
    return table[2:]


def written(states: Iterable[str], among: Iterable[State]) -> set[State]:
    """Those meant by names in which a dot-dot-dot may stand for a beginning or an end that is understood."""
    meant = set()
    for name in states:
        fitting = {
            state
            for state in among
            if (name.startswith("…") and state.endswith(name[1:]))
            or (name.endswith("…") and state.startswith(name[:-1]))
            or state == name
        }
        assert fitting, f"{name} is no such state"
        meant |= fitting
    return meant


@pytest.mark.parametrize("heading", PARTS)
def test_the_rules_of_a_part_are_those_of_the_code_in_their_order(heading: str) -> None:
    rules, rows = PARTS[heading], rows_after(heading)
    assert [name for name, *_ in rows] == list(dict.fromkeys(rule.name for rule in rules))
    for name, _, state in rows:
        of_the_rule = {rule.state for rule in rules if rule.name == name}
        if state == "fine":
            assert of_the_rule == {None}
        else:
            states = {one for one in of_the_rule if one}
            assert written(QUOTED.findall(state), states) == states, name


def test_what_outweighs_the_checks_is_told() -> None:
    together = DOCUMENT.split("**Together**", 1)[1].split("Otherwise", 1)[0].split("For an ECT", 1)[1]
    assert set(QUOTED.findall(together)) == OUTWEIGHS_CHECKS


def test_each_state_is_told_under_its_status_and_no_other() -> None:
    told = {
        label: written(QUOTED.findall(states), State) for label, states in rows_after("### From state to")
    }
    assert told == {status.label: {s for s in State if s.status is status} for status in Status}


def test_the_eight_statuses_have_their_names() -> None:
    assert [(slug.strip("`"), label) for slug, label, _ in rows_after("### The eight")] == [
        (status.value, status.label) for status in sorted(Status, key=_place_in_the_document)
    ]


def _place_in_the_document(status: Status) -> int:
    return DOCUMENT.index(f"| `{status.value}` |")


def test_each_row_of_the_flattened_table_is_that_of_its_test() -> None:
    rows = {int(number): (who, status) for number, who, _, status in rows_after("### The same, flattened")}
    assert list(rows) == list(range(1, 25))
    for number, _, inputs, status in ROWS:
        who, label = rows[number]
        assert Status(status).label.startswith(label), number
        assert who in ("all", "ECT" if inputs.role == "ect" else "mentor"), number
    for number, (who, _) in rows.items():
        roles = {inputs.role.value for row, _, inputs, _ in ROWS if row == number}
        assert roles == ({"ect", "mentor"} if who == "all" else {who.lower()}), number

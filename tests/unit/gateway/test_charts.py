"""Lengths of what is drawn."""

import pytest

from services.gateway.charts import COLUMNS_HIGH, columns, percent, scale


@pytest.mark.parametrize(
    ("part", "largest", "length"),
    [(0, 0, "0%"), (0, 9, "0%"), (9, 9, "100.0%"), (3, 9, "33.3%"), (1, 100_000, "0.5%")],
)
def test_a_bar_is_as_long_as_its_part_and_never_quite_gone(part: int, largest: int, length: str) -> None:
    assert percent(part, largest) == length


@pytest.mark.parametrize(
    ("values", "marks"),
    [
        ([], [0, 1]),
        ([0, 0], [0, 1]),
        ([3], [0, 1, 2, 3]),
        ([7], [0, 2, 4, 6, 8]),
        ([100, 2], [0, 50, 100]),
        ([1_234], [0, 500, 1_000, 1_500]),
    ],
)
def test_a_scale_is_of_round_numbers_and_holds_the_largest(values: list[int], marks: list[int]) -> None:
    assert scale(values) == marks


def test_pieces_of_a_column_stand_on_one_another() -> None:
    drawn = columns([("a", [("x", 30), ("y", 10)]), ("b", [("x", 0), ("y", 0)])])
    (lower, upper) = drawn.columns[0].pieces
    assert lower.y + lower.height == COLUMNS_HIGH
    assert upper.y + upper.height == lower.y
    assert upper.y == drawn.marks[-1].y == 0
    assert [piece.height for piece in drawn.columns[1].pieces] == [0, 0]

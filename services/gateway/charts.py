"""Numbers as lengths, for drawings made on the server. Widths in percent fit any screen and paper."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

COLUMNS_HIGH: Final = 160
"""Pixels of the highest column."""
MARKS: Final = 4
"""About how many lines a scale has."""
ROUND_STEPS: Final = (1, 2, 5, 10)


def percent(part: int, largest: int) -> str:
    """A length in a bar, at least to be seen when there is something."""
    if part <= 0 or largest <= 0:
        return "0%"
    return f"{max(0.5, 100 * part / largest):.1f}%"


@dataclass(frozen=True, slots=True)
class Piece:
    """A rectangle of a column. x, width: percent; y, height: pixels from the top."""

    kind: str
    y: float
    height: float


@dataclass(frozen=True, slots=True)
class Column:
    label: str
    x: str
    middle: str
    width: str
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Mark:
    value: int
    y: float


@dataclass(frozen=True, slots=True)
class Columns:
    columns: tuple[Column, ...]
    marks: tuple[Mark, ...]


def columns(values: Sequence[tuple[str, Sequence[tuple[str, int]]]], left: float = 8.0) -> Columns:
    """Columns of pieces on one another. values: label, and (kind, number) from the bottom.

    left: percent of the width that the scale takes.
    """
    top = scale([sum(number for _, number in pieces) for _, pieces in values])
    high = COLUMNS_HIGH / top[-1]
    room = (100.0 - left) / max(1, len(values))
    found = []
    for place, (label, pieces) in enumerate(values):
        x, y = left + place * room, float(COLUMNS_HIGH)
        drawn = []
        for kind, number in pieces:
            y -= number * high
            drawn.append(Piece(kind, round(y, 1), round(number * high, 1)))
        found.append(
            Column(
                label, f"{x + room * 0.15:.2f}%", f"{x + room / 2:.2f}%", f"{room * 0.7:.2f}%", tuple(drawn)
            )
        )
    return Columns(tuple(found), tuple(Mark(each, round(COLUMNS_HIGH - each * high, 1)) for each in top))


def scale(values: Sequence[int]) -> list[int]:
    """Round numbers from 0 up to the largest value or just above it."""
    largest = max([1, *values])
    size = 1
    while True:
        for step in ROUND_STEPS:
            if step * size * MARKS >= largest:
                reach = -(-largest // (step * size))
                return [step * size * each for each in range(reach + 1)]
        size *= 10

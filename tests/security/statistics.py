"""How much two samples differ, by a measure that knows no unit and no shape."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence


def cliffs_delta(first: Sequence[float], second: Sequence[float]) -> float:
    """How much more often a value of the first is greater than one of the second than the other way round.

    From -1 to 1; 0 for the same distribution. Less than 0.147 is called negligible.
    Source: Romano et al. 2006, Appropriate statistics for ordinal level data.
    """
    ordered = sorted(second)
    greater = sum(bisect_left(ordered, value) for value in first)
    less = sum(len(ordered) - bisect_right(ordered, value) for value in first)
    return (greater - less) / (len(first) * len(second))

"""Pages of a list."""

import math
from typing import Final

PAGE_SIZE: Final = 25


def pages_of(total: int) -> int:
    """How many pages there are; an empty list has one."""
    return max(1, math.ceil(total / PAGE_SIZE))


def offset_of(page: int) -> int:
    """page counts from 1."""
    return (page - 1) * PAGE_SIZE

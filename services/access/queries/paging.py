"""Pages of a list."""

import math
from typing import Final

PAGE_SIZE: Final = 25


def pages_of(total: int) -> int:
    """How many pages there are; an empty list has one."""
    return max(1, math.ceil(total / PAGE_SIZE))


def there(page: int, total: int) -> int:
    """The page that is asked for, or the last one when the list is shorter, as it may be by now."""
    return min(page, pages_of(total))


def offset_of(page: int) -> int:
    """page counts from 1."""
    return (page - 1) * PAGE_SIZE

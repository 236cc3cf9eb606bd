"""How long the statements of migrations wait for tables."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from alembic import op

LOCK_MILLISECONDS: Final = 2_000
"""For so long at most, others wait behind a statement that needs a table for itself."""


def wait_for_locks(milliseconds: int) -> str:
    """The statement that says for how long to wait; 0: as long as it takes."""
    return f"SET lock_timeout = {milliseconds}"


@contextmanager
def beside_others() -> Iterator[None]:
    """For CREATE INDEX CONCURRENTLY and the like, out of any transaction.

    Nobody waits for them, and they wait for every transaction that began before: as long as it takes.
    """
    with op.get_context().autocommit_block():
        op.execute(wait_for_locks(0))
        yield
        op.execute(wait_for_locks(LOCK_MILLISECONDS))

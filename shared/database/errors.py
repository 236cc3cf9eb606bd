"""Which database errors go away by themselves."""

import asyncpg
from asyncpg.exceptions import TargetServerAttributeNotMatched
from sqlalchemy.exc import DBAPIError, InterfaceError
from sqlalchemy.exc import TimeoutError as PoolTimeout

PASSING_CLASSES = ("08", "25", "40", "53", "55", "57", "58")
"""SQLSTATE classes: connection, transaction state, rollback, resources, locks, operator, system.
Source: https://www.postgresql.org/docs/current/errcodes-appendix.html"""


AWAY = (DBAPIError, PoolTimeout, OSError, TargetServerAttributeNotMatched)
"""What is raised while a server is away, or has no connection to spare, or none of several is the primary."""


def is_passing(error: BaseException) -> bool:
    """Whether trying again later may help: the trouble is with the server, not with what was asked."""
    if isinstance(error, DBAPIError):
        passing = error.connection_invalidated or isinstance(error, InterfaceError)
        return passing or _is_passing_state(error.orig)
    if isinstance(error, asyncpg.PostgresError):
        return _is_passing_state(error)
    lost = asyncpg.InterfaceError | TargetServerAttributeNotMatched
    return isinstance(error, OSError | PoolTimeout | lost)  # TimeoutError is one


def _is_passing_state(error: BaseException | None) -> bool:
    state = getattr(error, "sqlstate", None) or ""
    return state[:2] in PASSING_CLASSES

"""Whether a database has the schema that this code needs: migrations run before a release, never in it."""

from collections.abc import Iterable, Iterator, Mapping

from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.database.migrate import migrations_config

PRESENT = text("SELECT version_num FROM alembic_version")


class SchemaTooOld(Exception):
    """`check-data migrate` has to run first."""


class RequiredSchema:
    """Asked until the answer is yes; a schema only grows."""

    def __init__(self, service: str) -> None:
        self._service = service
        self._is_there = False

    async def check(self, connection: AsyncConnection) -> None:
        """Raises SchemaTooOld."""
        if self._is_there:
            return
        try:
            present = (await connection.scalars(PRESENT)).all()
        except ProgrammingError as error:  # no such table, or one that is not ours to read yet
            raise SchemaTooOld("it was never migrated, or long ago") from error
        if lacking := missing(lines_of(self._service), present):
            raise SchemaTooOld(", ".join(lacking))
        self._is_there = True


def lines_of(service: str) -> Mapping[str, frozenset[str]]:
    """Each revision that the service's migrations end with, with those before it."""
    scripts = ScriptDirectory.from_config(migrations_config(service))

    def line(revision: str | None) -> Iterator[str]:
        while revision is not None:
            yield revision
            before = scripts.get_revision(revision).down_revision
            assert before is None or isinstance(before, str)  # noqa: S101 - our lines do not join
            revision = before

    return {head: frozenset(line(head)) for head in scripts.get_heads()}


def missing(lines: Mapping[str, frozenset[str]], present: Iterable[str]) -> list[str]:
    """The heads that a database with these revisions lacks.

    A revision that this code does not know is of a later release, which expands what was there. It may stand
    for any head, but not for one of which an older revision is there.
    """
    there = set(present)
    later = there - frozenset[str]().union(*lines.values())
    return [head for head, line in lines.items() if head not in there and (line & there or not later)]

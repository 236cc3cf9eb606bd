"""The SQL of each migration, as Alembic would send it; no database is needed."""

from collections.abc import Iterator
from io import StringIO
from pathlib import Path

from alembic.operations import Operations
from alembic.runtime.environment import EnvironmentContext
from alembic.script import Script, ScriptDirectory

from shared.database.migrate import migrations_config


def migrations_of(service: str) -> Iterator[tuple[str, Path, str]]:
    """Revision, file and SQL: of the service's own migrations and of those that every service has."""
    config = migrations_config(service)
    scripts = ScriptDirectory.from_config(config)
    for script in scripts.walk_revisions():
        with EnvironmentContext(config, scripts) as environment:
            yield script.revision, Path(script.path), _sql(environment, script)


def _sql(environment: EnvironmentContext, script: Script) -> str:
    written = StringIO()
    environment.configure(dialect_name="postgresql", as_sql=True, output_buffer=written)
    with Operations.context(environment.get_context()), environment.begin_transaction():
        script.module.upgrade()
    return written.getvalue()

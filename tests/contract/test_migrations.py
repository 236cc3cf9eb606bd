"""Migrations only expand, and keep nobody waiting: the release before works on while they run, and after.

Looked at by squawk, a linter for migrations of Postgres, in the SQL that Alembic would send. A contract step,
which takes something away, says after which release nobody needs it any more:

    # contract after release 12: nobody reads the column since then
"""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.cli.catalogue import WITH_DATABASE
from tests.contract.migrating import migrations_of

SQUAWK = shutil.which("squawk", path=str(Path(sys.executable).parent))
TASTE = (
    "prefer-bigint-over-int",
    "prefer-bigint-over-smallint",
    "prefer-robust-stmts",  # what fails leaves nothing behind but an index, which is dropped first
    "require-lock-timeout",
    "require-statement-timeout",
)
"""Rules that are not about who else is at work."""
TAKING_AWAY = {
    "adding-not-nullable-field",
    "adding-required-field",
    "ban-drop-column",
    "ban-drop-constraint",
    "ban-drop-not-null",
    "ban-drop-table",
    "changing-column-type",
    "renaming-column",
    "renaming-table",
}
"""What a contract step may do."""
CONTRACT = re.compile(r"(?m)^# contract after release \S+: \S+")
OTHERS_THAT_DROP = re.compile(r"(?im)^\s*DROP\s+(?!INDEX\b|TABLE\b|COLUMN\b|CONSTRAINT\b)\w")
"""What squawk has no rule for: functions, views, types, policies …"""
RENAMES = re.compile(r"(?im)^\s*ALTER\s+[^;]*?\bRENAME\s+TO\b")

BEFORE_THE_FIRST_RELEASE = {
    "backbone_0002": {
        "ban-drop-column",
        "ban-drop-constraint",
        "changing-column-type",
        "constraint-missing-not-valid",
        "require-concurrent-index-creation",
    },
    "access_0003": {
        "adding-not-nullable-field",
        "ban-drop-constraint",
        "constraint-missing-not-valid",
        "require-concurrent-index-creation",
        "require-concurrent-index-deletion",
    },
    "access_0004": {"require-concurrent-index-creation"},
    "access_0005": {"require-concurrent-index-creation"},
    "auth_0002": {"require-concurrent-index-creation"},
    "export_0003": {"ban-drop-constraint", "constraint-missing-not-valid"},
    "export_0004": {"require-concurrent-index-creation"},
    "participants_0002": {"require-concurrent-index-creation", "require-concurrent-index-deletion"},
    "participants_0003": {"require-concurrent-index-creation"},
    "participants_0004": {"require-concurrent-index-creation"},
    "participants_0006": {"require-concurrent-index-creation"},
}
"""Made while no installation had data: wherever they run, the tables are empty. Nothing is added here."""

MIGRATIONS = {
    revision: (file, sql) for service in WITH_DATABASE for revision, file, sql in migrations_of(service)
}

pytestmark = pytest.mark.skipif(SQUAWK is None, reason="squawk has no program for this kind of machine")


def broken_by(sql: str, source: str = "") -> set[str]:
    """The rules that a migration breaks. source: its file, which may call it a contract step."""
    assert SQUAWK is not None
    said = subprocess.run(
        [SQUAWK, "--reporter", "json", "--pg-version", "16", "--exclude", ",".join(TASTE)],
        input=sql,
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.returncode in {0, 1}, said.stderr
    broken = {finding["rule_name"] for finding in json.loads(said.stdout)} | set(_more(sql))
    return broken - TAKING_AWAY - {"renaming", "dropping"} if CONTRACT.search(source) else broken


def _more(sql: str) -> Iterator[str]:
    if OTHERS_THAT_DROP.search(sql):
        yield "dropping"
    if RENAMES.search(sql):
        yield "renaming"


@pytest.mark.parametrize("revision", sorted(MIGRATIONS))
def test_a_migration_only_expands_and_keeps_nobody_waiting(revision: str) -> None:
    file, sql = MIGRATIONS[revision]
    assert broken_by(sql, file.read_text()) == BEFORE_THE_FIRST_RELEASE.get(revision, set())


@pytest.mark.parametrize(
    ("sql", "rule"),
    [
        ("ALTER TABLE people DROP COLUMN email;", "ban-drop-column"),
        ("DROP TABLE people;", "ban-drop-table"),
        ("ALTER TABLE people RENAME COLUMN email TO address;", "renaming-column"),
        ("ALTER TABLE people RENAME TO persons;", "renaming-table"),
        ("ALTER TABLE people ALTER COLUMN email TYPE varchar(80);", "changing-column-type"),
        ("ALTER TABLE people ADD COLUMN phone text NOT NULL;", "adding-required-field"),
        ("ALTER TABLE people ALTER COLUMN email SET NOT NULL;", "adding-not-nullable-field"),
        ("CREATE INDEX by_email ON people (email);", "require-concurrent-index-creation"),
        ("DROP INDEX by_email;", "require-concurrent-index-deletion"),
        ("ALTER TABLE people ADD CONSTRAINT a CHECK (email <> '');", "constraint-missing-not-valid"),
        ("DROP FUNCTION participants_matching;", "dropping"),
        ("ALTER INDEX by_email RENAME TO by_address;", "renaming"),
    ],
)
def test_what_would_disturb_the_release_before_is_found(sql: str, rule: str) -> None:
    assert rule in broken_by(f"BEGIN;\n{sql}\nCOMMIT;")


@pytest.mark.parametrize(
    "sql",
    [
        "BEGIN; ALTER TABLE people ADD COLUMN phone text; COMMIT;",
        "BEGIN; ALTER TABLE people ADD COLUMN seen boolean NOT NULL DEFAULT false; COMMIT;",
        "BEGIN; CREATE TABLE visits (at timestamptz); CREATE INDEX visits_at ON visits (at); COMMIT;",
        "CREATE INDEX CONCURRENTLY by_email ON people (email);",
    ],
)
def test_what_expands_is_let_through(sql: str) -> None:
    assert broken_by(sql) == set()


def test_a_contract_step_says_after_which_release_and_why() -> None:
    takes_away = "ALTER TABLE people DROP COLUMN phone;"
    assert broken_by(takes_away, "# contract after release 12: nobody reads it since then") == set()
    assert broken_by(takes_away, "# contract after release 12:") == {"ban-drop-column"}
    waits = "CREATE INDEX by_email ON people (email);"
    assert broken_by(waits, "# contract after release 12: it is small") == {
        "require-concurrent-index-creation"
    }

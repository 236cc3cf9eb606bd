"""The doctor names what is wrong, and a command or a place to look for it."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.auth.consumers import AccessFollower
from shared.bus.parking import park
from shared.database.engine import create_engine
from shared.database.provision import ServiceDatabase
from tests.conftest import NewDatabase
from tests.integration.cli.conftest import CheckData, check_data
from tests.integration.cli.test_parked import misnamed


@pytest.fixture
async def database(new_database: NewDatabase) -> ServiceDatabase:
    return await new_database("auth")


@pytest.fixture
async def auth(database: ServiceDatabase) -> AsyncEngine:
    return create_engine(database.service_url)


@pytest.fixture
def told_of_owner(told: dict[str, str], database: ServiceDatabase) -> dict[str, str]:
    return {**told, "CHECK_DATA_OWNER_DATABASE_URL": database.owner_url, "CHECK_DATA_PORT": "9"}


@pytest.fixture
def run(told_of_owner: dict[str, str], database: ServiceDatabase) -> CheckData:
    return check_data(told_of_owner, database)


async def test_a_process_that_does_not_answer_is_named(run: CheckData) -> None:
    result = await run("doctor", "auth")
    assert result.exit_code == 1
    assert "No process answers" in result.stdout
    assert "parked" not in result.stdout
    assert "schema" not in result.stdout


async def test_what_is_parked_and_late_is_named_with_the_command(run: CheckData, auth: AsyncEngine) -> None:
    async with auth.begin() as connection:
        await park(connection, AccessFollower.name, misnamed(1, "North"), "does not fit", 1)
        await connection.execute(
            text(
                "INSERT INTO work (kind, key, data, trace, created_at, due_at) "
                "VALUES ('email_link', 'a', '{}', '{}', :long_ago, :long_ago)"
            ),
            {"long_ago": datetime(2026, 1, 1, tzinfo=UTC)},
        )
    said = (await run("doctor", "auth")).stdout
    assert "1 events and 0 jobs are parked" in said
    assert "check-data parked list auth" in said
    assert "1 jobs of kind email_link wait" in said
    assert "North" not in said, "a screen is no place for what events hold"


@pytest.mark.parametrize(
    "made_old",
    [
        "DELETE FROM alembic_version WHERE version_num LIKE 'auth%'",
        "DROP TABLE alembic_version, work, parked_events",
    ],
)
async def test_a_schema_that_is_old_or_not_there_is_named(
    run: CheckData, database: ServiceDatabase, made_old: str
) -> None:
    owner = create_engine(database.owner_url)
    async with owner.begin() as connection:
        await connection.execute(text(made_old))
    await owner.dispose()
    said = (await run("doctor", "auth")).stdout
    assert "check-data migrate auth" in said
    assert "does not answer." not in said.replace("No process answers", "")


async def test_it_leaves_no_connection_behind(
    run: CheckData, database: ServiceDatabase, auth: AsyncEngine
) -> None:
    owner = create_engine(database.owner_url)
    async with owner.begin() as connection:
        await connection.execute(text("DROP TABLE alembic_version"))
    await owner.dispose()
    await run("doctor", "auth")
    async with auth.connect() as connection:
        others = await connection.scalar(
            text(
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )
    assert others == 0


async def test_a_database_and_a_bus_that_are_away_are_named(
    told_of_owner: dict[str, str], database: ServiceDatabase
) -> None:
    no_bus = check_data({**told_of_owner, "CHECK_DATA_REDIS_URL": "redis://127.0.0.1:9/0"}, database)
    assert "Redis does not answer" in (await no_bus("doctor", "auth")).stdout
    nowhere = ServiceDatabase(database.name, database.owner_url, "postgresql://x:y@127.0.0.1:9/none", {})
    assert (
        "Its database does not answer" in (await check_data(told_of_owner, nowhere)("doctor", "auth")).stdout
    )


async def test_settings_that_are_not_here_are_named(told: dict[str, str], database: ServiceDatabase) -> None:
    told.pop("CHECK_DATA_LINK_KEYS")
    result = await check_data(told, database)("doctor", "auth")
    assert result.exit_code == 1
    assert "Its settings are not here" in result.stdout

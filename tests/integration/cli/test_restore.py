"""Backup and restore as docs/operations.md tells it: the programs of Postgres, and then our own proofs."""

from pathlib import Path

import pytest
from redis.asyncio import Redis
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.bus.publication import bus_stream
from shared.database.engine import create_engine
from shared.database.provision import ServiceDatabase
from tests.conftest import NewDatabase
from tests.integration.cli.conftest import check_data
from tests.integration.cli.test_operations import lines, written
from tests.integration.shared.test_bus import PUBLICATION, eventually
from tests.integration.shared.test_relay_takeover import append, published, relaying, store_of, whole
from tests.restoring import BACKUP, RESTORE, restored
from tests.servers import Servers

__all__ = ["lines"]

OPERATIONS = (Path(__file__).parents[3] / "docs" / "operations.md").read_text()


async def test_rows_restored_are_what_the_log_says_and_the_log_stays_append_only(
    servers: Servers, new_database: NewDatabase, told: dict[str, str], lines: list[bytes], tmp_path: Path
) -> None:
    source = await new_database("participants")
    assert (await check_data(told, source)("backfill", written(tmp_path, lines))).exit_code == 0
    again = await restored(servers, "participants", source, tmp_path)
    run = check_data({**told, "CHECK_DATA_OWNER_DATABASE_URL": again.owner_url}, again)
    migrated = await run("migrate", "participants")
    assert migrated.exit_code == 0, migrated.output
    compared = await run("rebuild", "participants", "--dry-run")
    assert compared.exit_code == 0, compared.output
    engine = create_engine(again.service_url)
    try:
        async with engine.connect() as connection:
            kept = await connection.scalar(text("SELECT count(*) FROM received_events"))
        assert kept == len(lines)
        with pytest.raises(DBAPIError):
            async with engine.begin() as connection:
                await connection.execute(text("UPDATE received_events SET type = 'changed'"))
    finally:
        await engine.dispose()


async def test_the_bus_is_filled_again_from_a_restored_log_with_the_same_positions(
    servers: Servers, plain_database: ServiceDatabase, engine: AsyncEngine, redis: Redis, tmp_path: Path
) -> None:
    await append(store_of(engine), 1, 20)
    async with relaying(plain_database, redis):
        await eventually(lambda: all_published(redis, 20))
    again = await restored(servers, "plain", plain_database, tmp_path)
    await redis.flushdb()
    more = create_engine(again.service_url)
    await append(store_of(more), 21, 1)
    async with relaying(again, redis):
        await eventually(lambda: all_published(redis, 21))
    await more.dispose()
    assert await published(redis) == whole(21)


async def all_published(redis: Redis, count: int) -> bool:
    return bool(await redis.xlen(bus_stream(PUBLICATION.name, 0)) == count)


def test_the_commands_are_those_of_the_page_for_operators() -> None:
    for command in (BACKUP, RESTORE):
        assert command in " ".join(OPERATIONS.replace("\\\n", " ").split())

"""Connections that are held for long (locks, bells) are not those that work waits for."""

import asyncio
from contextlib import AsyncExitStack

from sqlalchemy import text

from shared.database.bell import Bell, ring_once
from shared.database.engine import create_engine
from shared.database.exclusive import exclusive
from shared.database.provision import ServiceDatabase
from tests.integration.shared.test_bus import eventually, running

CONNECTIONS = text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state IS NOT NULL"
)
CUT_LISTENERS = text("""
    SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
    WHERE datname = current_database() AND query LIKE 'LISTEN %'
""")


async def test_a_pool_of_one_serves_any_number_of_locks_and_bells(plain_database: ServiceDatabase) -> None:
    engine = create_engine(plain_database.service_url, pool_size=1)
    bells = [Bell(engine, f"channel_{number}") for number in range(4)]
    async with AsyncExitStack() as held, running(*(bell.run for bell in bells)):
        for number in range(6):
            await held.enter_async_context(exclusive(engine, f"lock {number}"))
        async with asyncio.timeout(5), engine.connect() as connection:
            assert await connection.scalar(text("SELECT 1")) == 1
    await engine.dispose()


async def test_a_lock_that_is_let_go_leaves_no_connection_behind(plain_database: ServiceDatabase) -> None:
    engine = create_engine(plain_database.service_url, pool_size=1)
    for _ in range(3):
        async with exclusive(engine, "lock"):
            pass

    async def only_one() -> bool:
        async with engine.connect() as connection:
            return bool(await connection.scalar(CONNECTIONS) == 1)

    await eventually(only_one)
    await engine.dispose()


async def test_a_bell_that_is_cut_off_listens_again_by_itself(
    plain_database: ServiceDatabase,
) -> None:
    engine = create_engine(plain_database.service_url, pool_size=2)
    bell = Bell(engine, "channel")
    async with running(bell.run):

        async def cut() -> bool:
            async with engine.connect() as connection:
                return bool(await connection.scalar(CUT_LISTENERS) == 1)

        async def heard() -> bool:
            await ring_once(engine, "channel")
            before = asyncio.get_running_loop().time()
            await bell.wait(0.2)
            return asyncio.get_running_loop().time() - before < 0.19

        await eventually(heard)
        await eventually(cut)
        await eventually(heard)
    await engine.dispose()

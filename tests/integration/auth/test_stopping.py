"""A service that is stopped has stopped, whatever it was doing: no task goes on, no connection stays open."""

import asyncio
import random

from sqlalchemy import text

from services.auth.app import create
from services.auth.settings import AuthSettings
from shared.database.engine import create_engine
from shared.database.provision import ServiceDatabase
from tests.integration.shared.test_bus import eventually
from tests.servers import Servers

TURNS = 12
LONGEST_SECONDS = 0.3
"""Within it a service opens connections, takes locks, looks for its place on the bus, and comes to rest."""

CONNECTED = text("SELECT count(*) FROM pg_stat_activity WHERE datname = :database")


async def test_a_stopped_service_leaves_nothing_behind(
    settings: AuthSettings, database: ServiceDatabase, servers: Servers
) -> None:
    watch = create_engine(servers.postgres_admin_url, pool_size=1)

    async def nobody_is_connected() -> bool:
        async with watch.connect() as connection:
            return not await connection.scalar(CONNECTED, {"database": database.name})

    rng = random.Random(20261129)
    try:
        for _ in range(TURNS):
            before, app = asyncio.all_tasks(), create(settings)
            async with app.router.lifespan_context(app):
                await asyncio.sleep(rng.uniform(0, LONGEST_SECONDS))
            assert asyncio.all_tasks() <= before
            await eventually(nobody_is_connected, seconds=10)
    finally:
        await watch.dispose()

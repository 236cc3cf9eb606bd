"""The same log, read over one partition and over four: the same rows, and the same events aside."""

from shared.bus.client import open_broker, open_client
from shared.bus.parking import list_parked
from shared.clock import system_clock
from shared.database.engine import create_engine
from shared.database.provision import ServiceDatabase
from shared.event_store import ANY, Codec, EventStore
from tests.databases import Databases
from tests.integration.shared.backbone_model import POISON, by_subject
from tests.integration.shared.test_backbone_model import empty_database
from tests.integration.shared.test_bus import Bus, Counted, counted, eventually
from tests.servers import Servers

Found = tuple[dict[str, list[int]], dict[str, list[int]]]
LOG = [
    *counted(0, 300, subjects=40),
    Counted("subject-3", POISON),
    Counted("subject-9", 7, secret=True),
    *counted(300, 300, subjects=40),
]


async def test_four_partitions_give_the_rows_of_one(databases: Databases, servers: Servers) -> None:
    log = await databases.copy("plain", await empty_database(databases))
    await append_all_of_it(log)
    copy = await databases.copy("plain", log.name)
    rows, parked = await followed(log, 1, servers.new_redis_url())
    assert await followed(copy, 4, servers.new_redis_url()) == (rows, parked)
    assert len(rows) == 40
    assert parked.keys() == {"subject-3"}


async def append_all_of_it(database: ServiceDatabase) -> None:
    engine = create_engine(database.service_url)
    store = EventStore(engine, Codec({"Counted": Counted}), system_clock)
    async with store.transaction() as transaction:
        for event in LOG:
            await transaction.append(event.subject, [event], expected=ANY, actor=None)
    await engine.dispose()


async def followed(database: ServiceDatabase, partitions: int, redis_url: str) -> Found:
    """The rows and the parked events of a reader that followed the log over so many partitions."""
    engine = create_engine(database.service_url)
    redis = open_client(redis_url)
    bus = Bus(engine, redis, open_broker(redis_url), partitions)
    bus.feed.away = True

    async def all_is_read() -> bool:
        async with engine.connect() as connection:
            return len(await bus.rows()) + len(await list_parked(connection)) == len(LOG) - 1

    async with bus.relaying(), bus.projecting():
        await eventually(all_is_read)
    rows = by_subject(await bus.rows())
    async with engine.connect() as connection:
        parked = by_subject(
            (one.subject, one.event["data"]["number"]) for one in await list_parked(connection)
        )
    await bus.broker.stop()
    await redis.aclose()
    await engine.dispose()
    return rows, parked

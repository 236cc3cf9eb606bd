"""The faults. Each returns when it is over: what was killed has been started again."""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Mapping

from sqlalchemy import text

from shared.bus.publication import bus_stream
from shared.database.engine import create_engine
from tests.faults.killable import Service, Valkey
from tests.faults.rehearsal import FEED_AWAY_FLAG, PUBLISHER, SLOW_FLAG
from tests.faults.world import World, ask_bus

Fault = Callable[[World], Awaitable[None]]


async def _kill(world: World, *services: Service) -> None:
    for service in services:
        service.kill()
    await asyncio.sleep(world.rng.uniform(0, 1))
    for service in services:
        service.start()


async def kill_a_publisher(world: World) -> None:
    await _kill(world, world.rng.choice(world.publishers))


async def kill_a_reader(world: World) -> None:
    await _kill(world, world.rng.choice(world.readers))


async def kill_a_sender(world: World) -> None:
    await _kill(world, world.rng.choice(world.senders))


async def kill_all_publishers(world: World) -> None:
    await _kill(world, *world.publishers)


async def kill_all_readers(world: World) -> None:
    await _kill(world, *world.readers)


async def kill_all_services(world: World) -> None:
    await _kill(world, *world.services)


async def pause_a_reader(world: World) -> None:
    reader = world.rng.choice(world.readers)
    reader.signal(signal.SIGSTOP)
    await asyncio.sleep(world.rng.uniform(1, 3))
    reader.signal(signal.SIGCONT)


async def flush_the_bus(world: World) -> None:
    await ask_bus(world.redis.flushall)


async def flush_the_bus_without_a_feed(world: World) -> None:
    """Nothing but the relay can fill what is missing."""
    world.set_flag(FEED_AWAY_FLAG, True)
    await ask_bus(world.redis.flushall)
    await asyncio.sleep(world.rng.uniform(2, 4))
    world.set_flag(FEED_AWAY_FLAG, False)


async def trim_the_bus(world: World) -> None:
    for partition in range(world.partitions):
        stream = bus_stream(PUBLISHER, partition)
        await ask_bus(lambda stream=stream: world.redis.xtrim(stream, maxlen=0, approximate=False))  # type: ignore[misc]


async def restart_the_bus_empty(world: World) -> None:
    valkey = _the_one(world)
    valkey.kill()
    valkey.snapshot.unlink(missing_ok=True)
    await asyncio.sleep(world.rng.uniform(0, 2))
    valkey.start()


async def restart_the_bus_as_it_was(world: World) -> None:
    valkey = _the_one(world)
    await ask_bus(world.redis.save)
    valkey.kill()
    await asyncio.sleep(world.rng.uniform(0, 2))
    valkey.start()


async def restart_the_bus_from_an_old_snapshot(world: World) -> None:
    valkey = _the_one(world)
    await ask_bus(world.redis.save)
    await asyncio.sleep(world.rng.uniform(1, 2))
    valkey.kill()
    valkey.start()


async def pause_the_bus(world: World) -> None:
    await _pause(world, _the_one(world))


async def restart_a_node_empty(world: World) -> None:
    """The others go on."""
    node = _a_node(world)
    node.kill()
    await asyncio.sleep(world.rng.uniform(1, 4))
    node.start()


async def pause_a_node(world: World) -> None:
    await _pause(world, _a_node(world))


async def promote_the_replica(world: World) -> None:
    world.ground.postgres.kill()
    await asyncio.sleep(world.rng.uniform(0, 2))
    await world.ground.promote(world.folder / f"replica-{world.rng.randrange(10**9)}")


async def _pause(world: World, valkey: Valkey) -> None:
    valkey.signal(signal.SIGSTOP)
    await asyncio.sleep(world.rng.uniform(1, 6))
    valkey.signal(signal.SIGCONT)


def _the_one(world: World) -> Valkey:
    assert world.ground.valkey is not None
    return world.ground.valkey


def _a_node(world: World) -> Valkey:
    assert world.ground.cluster is not None
    return world.rng.choice(world.ground.cluster.nodes)


async def restart_postgres(world: World) -> None:
    world.ground.postgres.kill()
    await asyncio.sleep(world.rng.uniform(0, 1))
    world.ground.postgres.start()


async def cut_database_connections(world: World) -> None:
    """Each connection of the services is cut with an even chance, wherever it is."""
    admin = create_engine(world.ground.postgres.admin_url, pool_size=1)
    async with admin.begin() as connection:
        await connection.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE usename IN ('publisher_service', 'reader_service') AND random() < 0.5"
            )
        )
    await admin.dispose()


async def slow_down_the_reader(world: World) -> None:
    world.set_flag(SLOW_FLAG, True)
    await asyncio.sleep(world.rng.uniform(2, 4))
    world.set_flag(SLOW_FLAG, False)


FAULTS: Mapping[str, Fault] = {
    "kill -9 of one publisher": kill_a_publisher,
    "kill -9 of both publishers": kill_all_publishers,
    "kill -9 of one reader": kill_a_reader,
    "kill -9 of both readers": kill_all_readers,
    "kill -9 of one sender": kill_a_sender,
    "kill -9 of all services": kill_all_services,
    "one reader paused for 1 to 3 s": pause_a_reader,
    "FLUSHALL": flush_the_bus,
    "FLUSHALL while the feed is away": flush_the_bus_without_a_feed,
    "XTRIM to nothing": trim_the_bus,
    "kill -9 of Valkey, back empty": restart_the_bus_empty,
    "kill -9 of Valkey, back as it was": restart_the_bus_as_it_was,
    "kill -9 of Valkey, back with an old snapshot": restart_the_bus_from_an_old_snapshot,
    "Valkey paused for 1 to 6 s": pause_the_bus,
    "kill -9 of Postgres, restarted": restart_postgres,
    "half of the database connections cut": cut_database_connections,
    "slow reader for 2 to 4 s": slow_down_the_reader,
    "kill -9 of one cluster node, back empty": restart_a_node_empty,
    "one cluster node paused for 1 to 6 s": pause_a_node,
    "kill -9 of the primary, its replica promoted": promote_the_replica,
}
KILLS = ("kill -9 of one publisher", "kill -9 of one reader", "kill -9 of one sender")
"""What happens most often."""
OF_ONE_SERVER = tuple(name for name in FAULTS if "Valkey" in name or name.endswith("Postgres, restarted"))
OF_SEVERAL = tuple(name for name in FAULTS if "cluster node" in name or "replica" in name)
OTHERS = tuple(name for name in FAULTS if name not in (*KILLS, *OF_SEVERAL))
SPREAD_OTHERS = tuple(name for name in FAULTS if name not in (*KILLS, *OF_ONE_SERVER))
"""Of a bus on a cluster and a Postgres with a replica."""

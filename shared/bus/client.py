"""The bus's server, as its URL names it: one Redis (or Valkey), or a cluster of them.

A cluster's URL names some of its nodes, with one password for all: `redis+cluster://user:password@host:port,host:port`,
or `rediss+cluster://…` for TLS; the rest (options behind `?`) is as in redis-py's URLs of one server.
"""

import logging
from collections.abc import Sequence
from typing import Any, Final, NamedTuple, TypeAlias
from urllib.parse import urlsplit, urlunsplit

from faststream.redis import RedisBroker, RedisClusterBroker
from faststream.redis.configs import RedisClusterConnectionState
from redis._parsers import AsyncCommandsParser
from redis.asyncio import Redis, RedisCluster
from redis.asyncio.cluster import ClusterNode
from redis.asyncio.connection import SSLConnection, parse_url
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError, RedisClusterException, RedisError

Client: TypeAlias = Redis | RedisCluster

BUS_AWAY = (RedisError, RedisClusterException, OSError)
"""What is raised while a server is away. Of a cluster's errors some are no RedisError."""

CLUSTER: Final = "+cluster"
CONNECT_SECONDS: Final = 2.0
"""How long a node may take to be reached. One that is lost must not hold up those that live."""


class ClusterAddress(NamedTuple):
    """url: of one node, as redis-py takes it. others: host and port of further nodes."""

    url: str
    others: Sequence[tuple[str, int]]


def cluster_address(url: str) -> ClusterAddress | None:
    """None for a URL of one server. Raises ValueError for a port that is no number."""
    parts = urlsplit(url)
    if not parts.scheme.endswith(CLUSTER):
        return None
    account, at, hosts = parts.netloc.rpartition("@")
    first, *others = hosts.split(",")
    scheme = parts.scheme.removesuffix(CLUSTER)
    return ClusterAddress(
        urlunsplit((scheme, f"{account}{at}{first}", "", parts.query, "")),
        [(node.hostname or "", node.port or 6379) for node in (urlsplit(f"//{other}") for other in others)],
    )


def cluster_options(address: ClusterAddress) -> dict[str, Any]:
    """With what redis-py's client of a cluster is made."""
    options: dict[str, Any] = dict(parse_url(address.url))
    if options.pop("connection_class", None) is SSLConnection:
        options["ssl"] = True
    first = (options.pop("host"), options.pop("port", 6379))
    nodes = [ClusterNode(host, port) for host, port in (first, *address.others)]
    return {"startup_nodes": nodes, "socket_connect_timeout": CONNECT_SECONDS} | options


class Cluster(RedisCluster):
    """redis-py's client of a cluster, so that tasks may share it, and a lost node is not the loss of all.

    redis-py asks one node, always the same, where a command's keys are: when it starts, and for each XREAD.
    And what fails it tries ten times, though we try again ourselves.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.commands_parser = _KnownKeys()
        self.retry = Retry(NoBackoff(), 1)  # once again, with the cluster's present layout

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        try:
            return await super().execute_command(*args, **options)
        except AttributeError as error:
            # One task's trouble with a node closes connections that another task is opening; redis-py 8.1
            # then looks for a writer that is gone.
            raise ConnectionError("the connection was closed while it was opened") from error


def open_client(url: str) -> Client:
    """Connects when it is first used. The caller closes it (`aclose`)."""
    address = cluster_address(url)
    if address is None:
        client: Redis = Redis.from_url(url)
        return client
    return Cluster(**cluster_options(address))


def open_broker(url: str) -> RedisBroker:
    """FastStream's broker, for readers. Connects when it is first used. The caller stops it (`stop`)."""
    address = cluster_address(url)
    quiet: Any = {"logger": logging.getLogger("faststream"), "log_level": logging.DEBUG}
    if address is None:
        return RedisBroker(url, **quiet)
    return _ClusterBroker(
        address.url, startup_nodes=address.others, socket_connect_timeout=CONNECT_SECONDS, **quiet
    )


class _ClusterBroker(RedisClusterBroker):
    """FastStream's, on our client."""

    def _make_connection_state(
        self, connection_options: dict[str, Any], kwargs: dict[str, Any]
    ) -> RedisClusterConnectionState:
        return _ClusterState(connection_options)


class _ClusterState(RedisClusterConnectionState):
    __slots__ = ()

    async def connect(self) -> RedisCluster:
        if self._client is None:
            self._client = Cluster(
                **{name: value for name, value in self._options.items() if value is not None}
            )
            self._connected = True
        return self._client


class _KnownKeys(AsyncCommandsParser):
    """Where the keys are in the commands that we use: first, save in XREAD."""

    async def initialize(self, node: ClusterNode | None = None) -> None:
        pass

    async def get_keys(self, *args: Any) -> tuple[Any, ...]:
        if args[0] != "XREAD":
            return args[1:2]
        streams = args[args.index(b"STREAMS") + 1 :]
        return streams[: len(streams) // 2]

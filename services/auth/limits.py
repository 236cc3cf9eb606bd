"""How often links may be asked for: moving windows in Redis; in the process's own memory while Redis is away.

Keys are MACs: Redis learns neither addresses nor who asks. The answer depends on what was typed and from
where, never on whether the address is known.
"""

import asyncio
import hmac
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from math import ceil
from typing import Any, Final, TypeVar

import structlog
from limits import RateLimitItem, parse
from limits.aio.storage import MemoryStorage, RedisClusterStorage, RedisStorage
from limits.aio.strategies import MovingWindowRateLimiter
from prometheus_client import Counter
from redis.asyncio import ConnectionPool

from services.auth.people import email_key
from shared.bus.client import BUS_AWAY, Cluster, cluster_address, cluster_options

log = structlog.get_logger(__name__)
Answer = TypeVar("Answer")

REFUSED = Counter("checkdata_link_requests_refused_total", "Requests for a link over a limit", ["limit"])
WITHOUT_REDIS = Counter(
    "checkdata_limits_without_redis_total", "Limits kept in this process, since Redis did not answer"
)
REDIS_SECONDS: Final = 0.25
"""How long Redis may take to answer, before the process counts for itself."""
AWAY_SECONDS: Final = 5.0
"""How long it is then not asked again."""
IPV6_PREFIX: Final = 64
"""What one subscriber has at least: single addresses of it cost nothing. Source: RFC 6177."""


class TooManyRequests(Exception):
    """Over a limit. seconds: when to try again."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"try again in {seconds} s")
        self.seconds = seconds


@dataclass(frozen=True, slots=True)
class LinkLimits:
    """Each as a list of texts such as `60 per 10 minutes`."""

    network: Sequence[str]
    address: Sequence[str]
    """For one email address from one network address."""
    everybody: Sequence[str]
    device: Sequence[str]
    """For a browser that somebody signed in from before: it has a limit of its own, and no other."""


class Counting:
    """Counts against limits, in Redis as long as it answers."""

    def __init__(self, redis_url: str) -> None:
        storage, self._close = _storage_at(redis_url)
        self._shared = MovingWindowRateLimiter(storage)
        self._own = MovingWindowRateLimiter(MemoryStorage())
        self._away_until = float("-inf")

    async def aclose(self) -> None:
        await self._close()

    async def hit(self, limit: RateLimitItem, key: str) -> int:
        """Count one. Returns 0, or the seconds to wait when the limit is reached: then it is not counted."""

        async def count(limiter: MovingWindowRateLimiter) -> int:
            if await limiter.hit(limit, key):
                return 0
            stats = await limiter.get_window_stats(limit, key)
            return max(1, ceil(stats.reset_time - time.time()))

        return await self._ask(count)

    async def _ask(self, count: Callable[[MovingWindowRateLimiter], Awaitable[Answer]]) -> Answer:
        if time.monotonic() >= self._away_until:
            try:
                async with asyncio.timeout(2 * REDIS_SECONDS):
                    return await count(self._shared)
            except BUS_AWAY as error:  # also TimeoutError
                self._away_until = time.monotonic() + AWAY_SECONDS
                log.warning("limits_without_redis", error=type(error).__name__)
        WITHOUT_REDIS.inc()
        return await count(self._own)


class _ClusterStorage(RedisClusterStorage):
    """On our own client of a cluster: that of `limits` is stopped by the loss of one node."""

    STORAGE_SCHEME = []  # noqa: RUF012 - so it is in the base class: not to be found by a URL
    client: Cluster

    def configure_bridge(self) -> None:
        self.client = Cluster(**self.options)
        bridge: Any = self.bridge
        bridge.storage, bridge.connection_getter = self.client, lambda _readonly: self.client


def _storage_at(redis_url: str) -> tuple[RedisStorage, Callable[[], Awaitable[None]]]:
    """Where counts are shared, and what closes it."""
    seconds: Any = {"socket_timeout": REDIS_SECONDS, "socket_connect_timeout": REDIS_SECONDS}
    common: Any = {"implementation": "redispy", "key_prefix": "auth-limits"}
    if address := cluster_address(redis_url):
        cluster = _ClusterStorage("async+redis+cluster://", **common, **cluster_options(address) | seconds)
        return cluster, cluster.client.aclose
    pool = ConnectionPool.from_url(redis_url, **seconds)
    by_pool: Any = {"connection_pool": pool}  # documented, and missing in its types
    return RedisStorage(redis_url, **common, **by_pool), pool.disconnect


class Throttle:
    """The limits of asking for a link. key: with it addresses are made unreadable."""

    def __init__(self, counting: Counting, limits: LinkLimits, key: bytes) -> None:
        self._counting = counting
        self._key = key
        self._network = [parse(text) for text in limits.network]
        self._address = [parse(text) for text in limits.address]
        self._everybody = [parse(text) for text in limits.everybody]
        self._device = [parse(text) for text in limits.device]

    async def admit(self, email: str, network: str | None, known_device: str | None = None) -> None:
        """Count a request for a link. Raises TooManyRequests.

        known_device: of a browser that somebody signed in from before. Strangers who use up the limits of a
        network or of everybody do not hold it up.

        The person is not counted here, only the pair of address and network: else a stranger who asks for
        links in somebody's name would keep them out.
        """
        if known_device is not None:
            await self._count("device", self._device, known_device)
            return
        where = network_of(network)
        await self._count("network", self._network, where)
        await self._count("address", self._address, f"{where} {email_key(email)}")
        await self._count("everybody", self._everybody, "")

    async def _count(self, name: str, limits: Sequence[RateLimitItem], whom: str) -> None:
        key = hmac.digest(self._key, f"limit {name}:{whom}".encode(), "sha256").hex()[:32]
        for limit in limits:
            if wait := await self._counting.hit(limit, f"{name}:{key}"):
                REFUSED.labels(name).inc()
                raise TooManyRequests(wait)


def network_of(address: str | None) -> str:
    """The part of a network address that one subscriber has. What is no address is one network together."""
    try:
        found: IPv4Address | IPv6Address = ip_address(address or "")
    except ValueError:
        return "unknown"
    if isinstance(found, IPv4Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(IPv6Network((found, IPV6_PREFIX), strict=False))

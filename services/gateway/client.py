"""The client by which the gateway calls one service."""

from typing import Final

import aiohttp

from shared.web.idle_connections import KEPT_SECONDS

CONNECT_SECONDS: Final = 2.0
"""How long a call waits for a connection, a free one or a new one, before it gives up."""
CONNECTIONS: Final = 100
"""To one service, at most."""
BROKEN: Final = (
    aiohttp.ClientOSError,
    aiohttp.ClientConnectionResetError,
    aiohttp.ServerDisconnectedError,
    aiohttp.ClientPayloadError,
)
"""A connection that broke, such as one kept while the service restarted. Timeouts were waited for already."""


def open_client(answer_seconds: float) -> aiohttp.ClientSession:
    """With connections of its own: files on their way from one service take none of another's.

    answer_seconds: how long nothing may come. All people share the client, so it keeps no cookie. Whoever
    opens it closes it.
    """
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=CONNECTIONS, keepalive_timeout=KEPT_SECONDS),
        timeout=aiohttp.ClientTimeout(total=None, connect=CONNECT_SECONDS, sock_read=answer_seconds),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        trust_env=False,  # services are near: never through a proxy
    )

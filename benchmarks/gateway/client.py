"""The leanest of HTTP clients: one kept connection, GET, the body read and thrown away."""

import asyncio
import time
from collections.abc import Mapping
from types import TracebackType
from urllib.parse import urlsplit


class Connection:
    def __init__(self, url: str, headers: Mapping[str, str]) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "", parts.port or 80
        lines = [f"GET {parts.path}?{parts.query} HTTP/1.1", f"host: {parts.netloc}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        self._request = "\r\n".join([*lines, "", ""]).encode()

    async def __aenter__(self) -> "Connection":
        self._reader, self._writer = await asyncio.open_connection(self._host, self._port)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._writer.close()

    async def get(self) -> tuple[float, int]:
        """Returns seconds to the end of the answer, and its bytes. Raises AssertionError unless it is 200."""
        started = time.perf_counter()
        self._writer.write(self._request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200"), head[:200]
        length = _length(head)
        await self._reader.readexactly(length)
        return time.perf_counter() - started, length


def _length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.partition(b":")[2])
    raise AssertionError("an answer without content-length is not read here")


async def run(url: str, headers: Mapping[str, str], clients: int, requests: int) -> list[float]:
    """Seconds of each answer; so many clients ask one after the other, all at the same time."""

    async def one() -> list[float]:
        async with Connection(url, headers) as connection:
            return [(await connection.get())[0] for _ in range(requests)]

    return [seconds for found in await asyncio.gather(*(one() for _ in range(clients))) for seconds in found]

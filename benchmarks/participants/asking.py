"""HTTP requests by clients that cost little: what they take would make the servers look alike."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence

from benchmarks.participants.looking import Look

RENEW_SECONDS = 30


ENOUGH_SECONDS, LEAST = 1.5, 3
"""What takes long is not asked for so often: a client stops after these seconds, but not before so many."""


async def timed(looks: Sequence[Look], times: int) -> list[float]:
    """Seconds of each of `times` runs by each client; the clients at once, one after another for each."""
    taken: list[float] = []
    until = time.perf_counter() + ENOUGH_SECONDS

    async def client(look: Look) -> None:
        for number in range(times):
            began = time.perf_counter()
            if number >= LEAST and began > until:
                return
            await look()
            taken.append(time.perf_counter() - began)

    await asyncio.gather(*(client(look) for look in looks))
    return taken


class Renewed:
    """A token for as long as a run takes: they live for a minute."""

    def __init__(self, issue: Callable[[], str]) -> None:
        self._issue = issue
        self._issued_at = float("-inf")
        self._token = ""

    def __call__(self) -> str:
        if time.monotonic() - self._issued_at > RENEW_SECONDS:
            self._token, self._issued_at = self._issue(), time.monotonic()
        return self._token


async def http_client(
    port: int, token: Callable[[], str], url: str
) -> tuple[Callable[[], Awaitable[bytes]], asyncio.StreamWriter]:
    """A client on a connection of its own: call it for a body. Close the writer in the end."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)

    async def get() -> bytes:
        head = f"GET {url} HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {token()}\r\n\r\n"
        writer.write(head.encode())
        answered = await reader.readuntil(b"\r\n\r\n")
        status, *headers = answered.split(b"\r\n")
        length = next(h for h in headers if h.lower().startswith(b"content-length:"))
        body = await reader.readexactly(int(length.split(b":")[1]))
        if b" 200 " not in status:
            raise RuntimeError(f"{url}: {status.decode()}")
        return body

    return get, writer

"""A real Postgres and a real Redis for the tests: containers where Docker runs, embedded ones elsewhere.

Containers need their images: CHECK_DATA_TEST_POSTGRES_IMAGE and CHECK_DATA_TEST_REDIS_IMAGE name other
ones than the official. Where they cannot be had, the embedded servers are used, and the run says so.
"""

import asyncio
import atexit
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
from sqlalchemy.engine import make_url
from testcontainers.core.container import DockerContainer

from shared.embedded.postgres import start_postgres
from shared.embedded.valkey import start_valkey

POSTGRES_IMAGE = os.environ.get("CHECK_DATA_TEST_POSTGRES_IMAGE", "postgres:18")
REDIS_IMAGE = os.environ.get("CHECK_DATA_TEST_REDIS_IMAGE", "redis:8")
READY_SECONDS = 60.0
REDIS_DATABASES = 10_000
"""More than the suite has tests."""
PASSWORD = "not-a-secret"


@dataclass(frozen=True, slots=True)
class Servers:
    postgres_admin_url: str
    _redis_address: str
    redis_urls: list[str] = field(default_factory=list)
    """Those that were given out."""

    def new_redis_url(self) -> str:
        """An empty Redis database: a test that reads another's events would depend on their order."""
        self.redis_urls.append(f"{self._redis_address}/{len(self.redis_urls)}")
        return self.redis_urls[-1]


async def databases_of(servers: Servers) -> list[tuple[str, str]]:
    """Name and URL (a superuser's) of each database."""
    connection = await asyncpg.connect(servers.postgres_admin_url)
    try:
        rows = await connection.fetch(
            "SELECT datname FROM pg_database WHERE datallowconn AND NOT datistemplate"
        )
    finally:
        await connection.close()
    url = make_url(servers.postgres_admin_url)
    return [(name, url.set(database=name).render_as_string(hide_password=False)) for (name,) in rows]


def why_no_containers() -> str | None:
    """None when Docker runs and has (or can fetch) the images; otherwise the reason, in words."""
    if shutil.which("docker") is None:
        return "there is no Docker"
    if not _docker("info"):
        return "no Docker engine answers"
    for image in (POSTGRES_IMAGE, REDIS_IMAGE):
        if not (_docker("image", "inspect", image) or _docker("pull", "--quiet", image, seconds=180)):
            return f"the image {image} cannot be had"
    return None


def _docker(*arguments: str, seconds: float = 15) -> bool:
    try:
        done = subprocess.run(["docker", *arguments], capture_output=True, check=False, timeout=seconds)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


@contextmanager
def container_servers() -> Iterator[Servers]:
    # The tests stop their containers themselves: the reaper of testcontainers would be one more image.
    os.environ.setdefault("TESTCONTAINERS_RYUK_DISABLED", "true")
    with ExitStack() as stack:
        postgres = DockerContainer(POSTGRES_IMAGE).with_exposed_ports(5432)
        postgres.with_env("POSTGRES_PASSWORD", PASSWORD)
        stack.enter_context(postgres)
        redis = DockerContainer(REDIS_IMAGE).with_exposed_ports(6379)
        redis.with_command(f"redis-server --databases {REDIS_DATABASES}")
        stack.enter_context(redis)
        address = f"{postgres.get_container_host_ip()}:{postgres.get_exposed_port(5432)}"
        url = f"postgresql://postgres:{PASSWORD}@{address}/postgres"
        _in_a_thread(_answers(url))
        yield Servers(url, f"redis://{redis.get_container_host_ip()}:{redis.get_exposed_port(6379)}")


def _in_a_thread(work: Coroutine[Any, Any, None]) -> None:
    """The tests' own event loop belongs to this one."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, work).result()


async def _answers(url: str) -> None:
    until = time.monotonic() + READY_SECONDS
    while True:
        try:
            await (await asyncpg.connect(url, timeout=5)).close()
        except (OSError, asyncpg.PostgresError):
            if time.monotonic() > until:
                raise
            await asyncio.sleep(0.2)
        else:
            return


async def _wait_for_no_disk(url: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute("ALTER SYSTEM SET fsync = off")
    await connection.execute("SELECT pg_reload_conf()")
    await connection.close()


def new_folder(of: str) -> Path:
    """For servers' data. Run as root, Postgres is another user, who may not enter pytest's own folders."""
    folder = Path(tempfile.mkdtemp(prefix=f"check-data-{of}-"))
    folder.chmod(0o755)
    return folder


@contextmanager
def embedded_servers(*, durable: bool = True) -> Iterator[Servers]:
    """durable: whatever happens to the machine. Else a commit waits for no disk, and a kill loses nothing."""
    folder = new_folder("tests")
    # Gigabytes, after a whole run. Handlers run last first: the one that stops Postgres is before this one.
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    valkey = start_valkey(folder / "valkey", databases=REDIS_DATABASES)
    try:
        url = start_postgres(folder / "postgres")
        if not durable:
            _in_a_thread(_wait_for_no_disk(url))
        yield Servers(url, f"redis://127.0.0.1:{valkey.port}")
    finally:
        valkey.stop()

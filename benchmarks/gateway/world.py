"""A running system with somebody signed in, and their own token for the service behind the page."""

import json
import os
import re
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

from services.gateway.app import create
from services.gateway.settings import GatewaySettings
from tests.running import RunningSystem, Visitor

PERSON = "dana.whitfield@example.org"
LIST = "/participants"


@dataclass(frozen=True, slots=True)
class World:
    page_url: str
    cookie: str
    gateway_pid: int
    _environment: dict[str, str]
    _session: str

    @property
    def query_url(self) -> str:
        return self._environment["CHECK_DATA_PARTICIPANTS_URL"] + LIST

    async def token(self) -> str:
        """As the gateway gets one for each page; good for a minute."""
        with mock.patch.dict(os.environ, self._environment):
            app = create(GatewaySettings())
        async with app.router.lifespan_context(app):
            in_force = await app.state.backends.auth.exchange(self._session, ["participants"])
        return str(in_force.tokens["participants"])

    def gateway_seconds(self) -> float:
        """Of a processor, that the gateway has used so far."""
        fields = Path(f"/proc/{self.gateway_pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@asynccontextmanager
async def signed_in(system: RunningSystem) -> AsyncIterator[World]:
    visitor = Visitor(system.url)
    page = await visitor.sign_in(PERSON)
    if page.path == "/choose-role":
        grants = re.findall(r'name="grant_id"[^>]*value="([^"]+)"', page.response.text)
        page = await visitor.submit(page, "/choose-role", grant_id=grants[-1])
    cookies = dict(visitor.http.cookies)
    environment = json.loads((system.home / "environment" / "gateway.json").read_text())
    cookie = "; ".join(f"{name}={value}" for name, value in cookies.items())
    yield World(system.url + LIST, cookie, _gateway_of(system), environment, cookies["session"])
    await visitor.close()


def _gateway_of(system: RunningSystem) -> int:
    """The process that serves the pages."""
    found = subprocess.run(
        ["pgrep", "-P", str(system.process.pid), "-f", "serve gateway"],
        capture_output=True,
        text=True,
        check=True,
    )
    return int(found.stdout.split()[0])

"""The whole system as a person gets it: `check-data run` in a process, and a visitor of its pages."""

import asyncio
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path

import httpx

from shared.embedded.ports import free_ports

READY_SECONDS = 300.0
SECOND_FACTOR = "/sign-in/second-factor"
_CODE = r'data-code-of="{}" data-wait="(\d+)">(\d{{6}})<'
PARTICIPANTS = 900


@dataclass(frozen=True, slots=True)
class RunningSystem:
    url: str
    home: Path
    process: subprocess.Popen[str]
    said: list[str]
    """What it printed so far."""
    traces: Sequence[bytes] = ()
    """What a collector got of it by OTLP so far, where there is one."""


@contextmanager
def running_system(home: Path, told: Mapping[str, str] | None = None) -> Iterator[RunningSystem]:
    """Run everything with a small world in which nothing changes by itself, until the block ends.

    told: environment variables that make it otherwise.
    """
    (port,) = free_ports(1)
    environment = {
        **os.environ,
        "CHECK_DATA_HOME": str(home),
        "CHECK_DATA_PARTICIPANTS": str(PARTICIPANTS),
        "CHECK_DATA_TRICKLE_SECONDS": "0",
        "PORT": str(port),
        **(told or {}),
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "services", "run"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    said: list[str] = []
    reader = threading.Thread(target=_listen, args=(process, said), daemon=True)
    reader.start()
    try:
        _wait_until_ready(process, said)
        yield RunningSystem(f"http://127.0.0.1:{port}", home, process, said)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        process.wait(timeout=40)
        reader.join(timeout=5)


def _listen(process: subprocess.Popen[str], said: list[str]) -> None:
    for line in process.stdout or ():
        said.append(line)


def _wait_until_ready(process: subprocess.Popen[str], said: list[str]) -> None:
    until = time.monotonic() + READY_SECONDS
    while time.monotonic() < until:
        if any(line.rstrip().endswith("Ready") for line in said):
            return
        if process.poll() is not None:
            break
        time.sleep(0.1)
    raise AssertionError("the system did not become ready:\n" + "".join(said[-60:]))


class _Forms(HTMLParser):
    """The forms of a page: where they go, and what is in them already."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[tuple[str, dict[str, str]]] = []
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append((found.get("action", ""), {}))
            self._inside = True
        elif tag == "input" and self._inside and "name" in found:
            if found.get("type") in {"radio", "checkbox"} and "checked" not in found:
                return
            self.forms[-1][1][found["name"]] = found.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._inside = False


@dataclass(frozen=True, slots=True)
class Page:
    response: httpx.Response

    @property
    def status(self) -> int:
        return self.response.status_code

    @property
    def path(self) -> str:
        return self.response.url.path

    @property
    def text(self) -> str:
        """What a reader sees of it, roughly."""
        body = re.sub(r"(?s)<(script|style|svg).*?</\1>", " ", self.response.text)
        return " ".join(re.sub(r"<[^>]+>", " ", body).split())

    @property
    def heading(self) -> str:
        found = re.search(r"(?s)<h1[^>]*>(.*?)</h1>", self.response.text)
        return " ".join(re.sub(r"<[^>]+>", " ", found[1]).split()) if found else ""

    def links(self, pattern: str) -> list[str]:
        return [href.replace("&amp;", "&") for href in re.findall(rf'href="({pattern})"', self.response.text)]

    def form(self, action: str) -> dict[str, str]:
        """The fields of the form that goes to this address."""
        parser = _Forms()
        parser.feed(self.response.text)
        for where, fields in parser.forms:
            if (where or self.path) == action:
                return dict(fields)
        raise AssertionError(f"no form goes to {action}: {[where for where, _ in parser.forms]}")


class Visitor:
    """A browser without JavaScript, with cookies of its own."""

    def __init__(self, url: str) -> None:
        self.http = httpx.AsyncClient(base_url=url, follow_redirects=True, timeout=30)

    async def get(self, path: str, **query: str | list[str]) -> Page:
        return Page(await self.http.get(path, params=query or None))

    async def submit(self, page: Page, action: str, **fields: str) -> Page:
        """Fill in a form of the page and send it."""
        return Page(await self.http.post(action, data={**page.form(action), **fields}))

    async def inbox(self, address: str) -> str:
        """The page of the development inbox with the emails to this address."""
        return (await self.get("/dev/inbox", to=address)).response.text

    async def wait_for_email(self, address: str, containing: str, seconds: float = 60) -> None:
        async with asyncio.timeout(seconds):
            while containing not in await self.inbox(address):
                await asyncio.sleep(0.1)

    async def links(self, address: str) -> list[str]:
        """The sign-in links in the inbox of this address, newest first."""
        return re.findall(r'href="[^"]*(/sign-in/link/[^"]+)"', await self.inbox(address))

    async def open_link(self, address: str, besides: Collection[str] = (), seconds: float = 60) -> Page:
        """Wait for an email with a link that is new, open it, and press its button."""
        async with asyncio.timeout(seconds):
            while not (new := [link for link in await self.links(address) if link not in besides]):
                await asyncio.sleep(0.1)
        page = await self.get(new[0])
        assert page.status == 200
        page = await self.submit(page, new[0])
        return await self.give_code(page, address) if page.path == SECOND_FACTOR else page

    async def give_code(self, page: Page, address: str) -> Page:
        """Enter the code that the authenticator app of this member of staff shows: the inbox says it."""
        async with asyncio.timeout(90):
            while not (
                found := re.search(_CODE.format(re.escape(address)), await self.inbox(address))
            ) or int(found[1]):
                await asyncio.sleep(1)
        return await self.submit(page, SECOND_FACTOR, code=found[2])

    async def sign_in(self, address: str) -> Page:
        before = await self.links(address)
        page = await self.submit(await self.get("/sign-in"), "/sign-in", email=address)
        assert page.heading == "Check your email"
        return await self.open_link(address, before)

    async def close(self) -> None:
        await self.http.aclose()

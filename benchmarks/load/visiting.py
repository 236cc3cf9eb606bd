"""What a user of a delivery partner does at the start of a term, again and again, with time to read."""

import asyncio
import random
import re
import time
from dataclasses import dataclass, field
from typing import Final

import httpx

from benchmarks.load.mailbox import Mailbox
from tests.running import Page, Visitor

SIGN_IN, LIST, SEARCH, FILTER, PERSON, EXPORT, DOWNLOAD = (
    "sign in, email included",
    "list",
    "search",
    "filter",
    "one person",
    "ask for a download",
    "download",
)
STATUSES: Final = ("training_or_eligible_for_training", "dfe_checking_eligibility", "induction_completed")
SEARCHES: Final = ("an", "school", "smith", "primary", "er", "maria", "park")
SEND_AWAY: Final = 503
READY_SECONDS: Final = 60.0
EMAIL_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class Visit:
    """at, seconds: since the start of the run, and how long. status 0: no answer at all."""

    kind: str
    at: float
    seconds: float
    status: int

    @property
    def failed(self) -> bool:
        return self.status == 0 or self.status >= 500

    @property
    def sent_away(self) -> bool:
        return self.status == SEND_AWAY


@dataclass
class Log:
    started: float = field(default_factory=time.perf_counter)
    visits: list[Visit] = field(default_factory=list)

    def now(self) -> float:
        return time.perf_counter() - self.started


class User:
    """think: mean seconds between two pages."""

    def __init__(self, url: str, email: str, mailbox: Mailbox, log: Log, think: float, seed: int) -> None:
        self._visitor = Visitor(url)
        self._email = email
        self._mailbox = mailbox
        self._log = log
        self._think = think
        self._random = random.Random(seed)

    async def run(self) -> None:
        """Never returns; is cancelled. What goes wrong is a line of the log, and the user tries again."""
        try:
            while not await self._sign_in():
                pass
            while True:
                await self._look_around()
        finally:
            await self._visitor.close()

    async def _sign_in(self) -> bool:
        """From the page that asks for the address to the list. Who is sent away comes again when told to."""
        started = self._log.now()
        try:
            response = await self._through_the_link()
            status = response.status_code if response.status_code != httpx.codes.OK or _is_in(response) else 0
        except (httpx.HTTPError, TimeoutError):
            response, status = None, 0
        self._log.visits.append(Visit(SIGN_IN, started, self._log.now() - started, status))
        if status != httpx.codes.OK:
            await asyncio.sleep(_told_to_wait(response) or self._think)
        return status == httpx.codes.OK

    async def _through_the_link(self) -> httpx.Response:
        """The answer that it ended with: the list, or the first that was none of a sign-in."""
        page = await self._visitor.get("/sign-in")
        if page.status != httpx.codes.OK:
            return page.response
        page = await self._visitor.submit(page, "/sign-in", email=self._email)
        if page.status != httpx.codes.OK:
            return page.response
        async with asyncio.timeout(EMAIL_SECONDS):
            link = await self._mailbox.link(self._email)
        page = await self._visitor.get(link)
        if page.status != httpx.codes.OK:
            return page.response
        return (await self._visitor.submit(page, link)).response

    async def _look_around(self) -> None:
        page = await self._get(LIST, "/participants")
        for _ in range(self._random.randint(2, 5)):
            if page is None:
                return
            people = page.links(r"/participants/[0-9a-f-]{36}[^\"]*")
            match self._random.random():
                case chance if chance < 0.4 and people:
                    await self._get(PERSON, self._random.choice(people))
                case chance if chance < 0.7:
                    page = await self._get(SEARCH, "/participants", q=self._random.choice(SEARCHES))
                case chance if chance < 0.95:
                    page = await self._get(FILTER, "/participants", status=self._random.choice(STATUSES))
                case _:
                    await self._take_away(page)

    async def _take_away(self, page: Page) -> None:
        try:
            fields = page.form("/exports")
        except AssertionError:
            return  # nobody is in this list
        asked = await self._send(EXPORT, self._visitor.http.build_request("POST", "/exports", data=fields))
        found = re.search(r"/exports/[0-9a-f-]{36}", str(asked.response.url)) if asked else None
        if asked is None or found is None:
            return
        until = self._log.now() + READY_SECONDS
        while f"{found[0]}/download" not in asked.response.text and self._log.now() < until:
            await asyncio.sleep(1)
            asked = await self._visitor.get(found[0])
        await self._get(DOWNLOAD, f"{found[0]}/download")

    async def _get(self, kind: str, path: str, **query: str) -> Page | None:
        await asyncio.sleep(self._random.expovariate(1 / self._think))
        return await self._send(kind, self._visitor.http.build_request("GET", path, params=query or None))

    async def _send(self, kind: str, request: httpx.Request) -> Page | None:
        started = self._log.now()
        try:
            response = await self._visitor.http.send(request)
            status = response.status_code
        except httpx.HTTPError:
            response, status = None, 0
        self._log.visits.append(Visit(kind, started, self._log.now() - started, status))
        if status != httpx.codes.OK:
            await asyncio.sleep(_told_to_wait(response))
        return Page(response) if response is not None and status == httpx.codes.OK else None


def _is_in(response: httpx.Response) -> bool:
    return response.url.path == "/participants"


def _told_to_wait(response: httpx.Response | None) -> float:
    """Seconds, by Retry-After; 0 when nothing is said."""
    said = response.headers.get("retry-after", "") if response is not None else ""
    return float(said) if said.isdigit() else 0.0

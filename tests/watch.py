"""Watches the whole suite: wherever a test leads, nothing holds a secret, or somebody, where none belongs.

Looked at, for each test: its logs, what it prints (it would be in a log of CI), its spans, and the pages and
documents that say no. For each system: logs, metrics, spans, Redis, databases. When all tests are done: every
database and Redis database of theirs, and the metrics.

test_canaries.py knows what it looks for. Here tokens and addresses have a form, and names and TRNs are those
that are made up here (tests/made_up.py).
"""

import asyncio
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from prometheus_client import generate_latest
from redis.asyncio import Redis

from shared import spans
from shared.spans import Span
from tests.made_up import names_in, trns_in
from tests.security.canaries import (
    Canaries,
    Finding,
    of_bus,
    of_database,
    of_databases,
    of_logs,
    of_metrics,
    of_texts,
    of_traces,
)
from tests.servers import Servers, databases_of

LINK: Final = re.compile(r"(?<![\w.-])[\w-]{22}\.[\w-]{43}(?![\w-])")
INTERNAL: Final = re.compile(r"eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{20,}")
SESSION_OR_DEVICE: Final = re.compile(
    r"(?<![\w.-])(?=[\w-]*[a-z])(?=[\w-]*[A-Z])(?=[\w-]*\d)[\w-]{43}(?![\w=.-])", re.ASCII
)
AUTHENTICATOR: Final = re.compile(r"(?<![A-Z2-7])(?=[A-Z]*[2-7])(?=[2-7]*[A-Z])[A-Z2-7]{32}(?![A-Z2-7])")
RUN: Final = re.compile(r"(?<![\w.=-])[\w.=-]{32,}")
"""What tokens are made of, and what may not stand beside one: only such runs are looked at closely."""
TOKENS: Final = (LINK, INTERNAL, SESSION_OR_DEVICE, AUTHENTICATOR)
ADDRESS: Final = re.compile(
    r"(?<![\w.+'-])(?!name@)[\w.+'-]+@[\w.-]*(?:\bexample\.(?:org|com|net)|\.example)\b"
)
"""But for the one that pages give as an example of how an address is written."""


@dataclass(slots=True)
class Lookalikes(Canaries):
    """Whatever has the form of a token or of an address, and the names and TRNs that are made up here."""

    tokens: set[str] = field(default_factory=set)
    people: set[str] = field(default_factory=set)

    def tokens_in(self, text: str) -> set[str]:
        runs = RUN.findall(text)
        return {found[0] for run in runs for pattern in TOKENS for found in pattern.finditer(run)}

    def people_in(self, text: str) -> set[str]:
        addresses = {found[0] for found in ADDRESS.finditer(text)}
        return addresses | names_in(text) | trns_in(text)


ALIKE: Final = Lookalikes()


class Overheard:
    """What a test told a collector of traces, and callers whom it refused, since it was asked last."""

    def __init__(self) -> None:
        self._spans: list[Span] = []
        self._refusals: list[str] = []

    @contextmanager
    def spans(self) -> Iterator[None]:
        """While a test runs. One that tells its spans to somebody else looks at them itself."""
        spans.tell(self._spans.append)
        try:
            yield
        finally:
            spans.tell(None)

    @contextmanager
    def refusals(self) -> Iterator[None]:
        """Of whomever the suite asks over HTTP."""
        send = httpx.AsyncClient.send

        async def overheard(
            client: httpx.AsyncClient, request: httpx.Request, *, stream: bool = False, **how: Any
        ) -> httpx.Response:
            answer = await send(client, request, stream=stream, **how)
            if not stream and says_no(answer):
                self._refusals.append(answer.text)
            return answer

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(httpx.AsyncClient, "send", overheard)
            yield

    def findings(self) -> list[Finding]:
        """What of it holds something. Then it is forgotten."""
        heard = [("a span", f"{span.name} {span.attributes}") for span in self._spans]
        heard += [("an answer that says no", refusal) for refusal in self._refusals]
        self._spans.clear()
        self._refusals.clear()
        return of_texts(heard, ALIKE)


OVERHEARD: Final = Overheard()


def says_no(answer: httpx.Response) -> bool:
    """An error page or a problem document; not a form that is shown again with what was typed into it."""
    return answer.status_code >= 400 and "govuk-error-summary" not in answer.text


def said_by(report: pytest.TestReport) -> list[Finding]:
    """In what was captured while a test ran."""
    return of_texts(report.sections, ALIKE)


def left_by(home: Path) -> list[Finding]:
    """By a system that still runs, wherever it leaves something."""
    return of_logs(home / "log", ALIKE) + asyncio.run(_kept_by(environments(home)))


def told_by(traces: Sequence[bytes]) -> list[Finding]:
    """By a system that told a collector what it did, to its end."""
    assert traces, "nothing was told"
    return of_traces(traces, ALIKE)


async def _kept_by(told: Mapping[str, Mapping[str, str]]) -> list[Finding]:
    async with Redis.from_url(told["auth"]["CHECK_DATA_REDIS_URL"]) as redis:
        return await of_bus(redis, ALIKE) + await of_databases(told, ALIKE) + await of_metrics(told, ALIKE)


def left_by_all(servers: Servers) -> list[Finding]:
    """When all tests are done: in every database of their servers, and in the metrics of this process."""
    metrics = of_texts([("metrics", generate_latest().decode())], ALIKE)
    return metrics + asyncio.run(_kept_on(servers))


async def _kept_on(servers: Servers) -> list[Finding]:
    found = []
    for url in servers.redis_urls:
        async with Redis.from_url(url) as redis:
            found += await of_bus(redis, ALIKE)
    for name, url in await databases_of(servers):
        found += await of_database(name, url, ALIKE)
    return found


def environments(home: Path) -> dict[str, dict[str, str]]:
    return {file.stem: json.loads(file.read_text()) for file in (home / "environment").glob("*.json")}

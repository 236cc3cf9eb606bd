"""The list page through the gateway, beside the query of participants that it shows."""

import logging
import statistics
import tempfile
from dataclasses import dataclass
from pathlib import Path

import structlog

from benchmarks.gateway.client import run
from benchmarks.gateway.world import World, signed_in
from benchmarks.measuring import Measured, in_turns, percentile
from benchmarks.report import conditions, goal, table, write_section
from tests.running import PARTICIPANTS, running_system

PAGE, QUERY = "list page, gateway", "the query alone, participants"
ADDED, PAGES_PER_CORE = 3.0, 100.0
PACKAGES = ("fastapi", "uvicorn", "jinja2", "aiohttp", "govuk-frontend-jinja")


@dataclass(frozen=True, slots=True)
class Size:
    repeats: int
    requests: int
    """In a round, of all clients together."""


async def run_gateway(short: bool) -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    size = Size(repeats=3, requests=96) if short else Size(repeats=7, requests=480)
    when = conditions(*PACKAGES)
    with tempfile.TemporaryDirectory() as folder, running_system(_open_to_all(folder)) as system:
        async with signed_in(system) as world:
            found = {clients: await _measure(world, clients, size) for clients in (1, 16)}
    write_section("gateway", _section(when, size, found))


def _open_to_all(folder: str) -> Path:
    """When run as root, Postgres runs as another user."""
    home = Path(folder)
    home.chmod(0o755)
    return home


@dataclass(frozen=True, slots=True)
class Found:
    seconds: Measured
    """Medians of each round."""
    slowest: dict[str, float]
    """99th percentiles, of all rounds."""
    pages_per_core: float
    """By the processor time of the gateway's process."""


async def _measure(world: World, clients: int, size: Size) -> Found:
    each = size.requests // clients
    answers: dict[str, list[float]] = {PAGE: [], QUERY: []}
    worked: list[float] = []

    async def page() -> float:
        before = world.gateway_seconds()
        headers = {"cookie": world.cookie, "accept-encoding": "gzip"}
        seconds = await run(world.page_url, headers, clients, each)
        worked.append((world.gateway_seconds() - before) / len(seconds))
        answers[PAGE] += seconds
        return statistics.median(seconds)

    async def query() -> float:
        headers = {"authorization": f"Bearer {await world.token()}"}
        seconds = await run(world.query_url, headers, clients, each)
        answers[QUERY] += seconds
        return statistics.median(seconds)

    measured = await in_turns({PAGE: page, QUERY: query}, size.repeats)
    slowest = {side: percentile(seconds, 0.99) for side, seconds in answers.items()}
    return Found(measured, slowest, 1 / statistics.median(worked))


PROFILE = """### Where the gateway's time goes

Looked at on 2026-11-29 in one process with stand-ins for the services (best of 12 times 60 pages,
beside other work: load 7 to 9 on 2 cores), after [decision
74](decisions/0074-what-a-list-page-costs.md): a page without its calls takes 4.8 ms of a processor (8.0
before), of which rendering 2.2 (4.9 before), compressing 0.5, and reading the answer of participants
0.2. The two calls by aiohttp take 0.4 ms more (by httpx 2.4 at one client, 4.3 at 16).

What would come next: a request takes uvicorn 0.27 ms with h11 and 0.14 with httptools (0.12 with uvloop
too), in each of the three services that a page goes through; it was said here that they make no
difference. Making text harmless takes 0.7 of the 2.2 ms, and has to stay as it is."""


def _section(when: str, size: Size, found: dict[int, Found]) -> str:
    goals = [
        goal(
            f"{_clients(n)}: what the gateway adds, times the query alone",
            each.seconds.ratio(PAGE, QUERY) - 1,
            ADDED,
            at_most=True,
        )
        for n, each in found.items()
    ]
    goals.append(goal("16 clients: pages per second of a core", found[16].pages_per_core, PAGES_PER_CORE))
    rows = [
        [
            _clients(n),
            side,
            f"{each.seconds.median(side) * 1000:.1f}",
            f"{each.slowest[side] * 1000:.1f}",
            f"{each.seconds.ratio(side, QUERY):.2f}",
            f"{each.pages_per_core:.0f}" if side == PAGE else "",
        ]
        for n, each in found.items()
        for side in (PAGE, QUERY)
    ]
    head = ("", "ms", "median", "p99", "× the query", "pages per second of a core")
    return f"""## Pages

Made on {when}. The whole system on this machine, {PARTICIPANTS} participants made up;
{size.repeats} rounds of {size.requests} requests after one of warming up.

### Goals

{table(("what", "goal", "reached", "met"), goals)}

### The list page

The first page of a delivery partner's list, 50 rows at most, as a browser asks for it: the gateway exchanges
the session with auth, asks participants, renders and compresses. The query alone is the same call to
participants, with a token that is there already. Both record the view. Clients keep their connections and
ask one request after the other. Pages per second of a core: by the processor time of the gateway's process,
whatever else the machine did meanwhile.

{table(head, rows)}

{PROFILE}
"""


def _clients(number: int) -> str:
    return "1 client" if number == 1 else f"{number} clients"

"""All measurements of the participants' lists, their goals, and the section that tells of them."""

import logging
import statistics
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from uuid import UUID, uuid4

import asyncpg
import structlog

from benchmarks.measuring import percentile
from benchmarks.participants.asking import Renewed, http_client, timed
from benchmarks.participants.looking import (
    LOOKS,
    Look,
    Looking,
    bare,
    bare_person,
    least,
    least_store,
    original,
    ours,
)
from benchmarks.participants.world import World, filled_world, from_memory, served
from benchmarks.report import conditions, goal, table, write_section
from services.participants.precedence import Precedence
from services.participants.queries import ParticipantQueries
from services.participants.scope import Scope, open_readers
from shared.contracts.manage_ects import OrganisationKind
from shared.contracts.roles import Role
from tests.servers import Servers, embedded_servers
from tests.tokens import TestIssuer

OURS, BARE, ORIGINAL, MEMORY, LEAST = "ours", "bare SQL", "original's way", "from memory", "the least"
CROWD = 16
FASTEST_OF_HTTP = ("first page", "one year", "role, year and status", "search, rare (a TRN)", "one person")
OTHERS = ("first page", "one status", "search, common (smith)")
"""Looked at for one partner of the same size among few and among many others."""


@dataclass(frozen=True, slots=True)
class Size:
    participants: int
    partners: int
    few: int
    rounds: int
    times: int
    times_original: int


FULL = Size(500_000, 200, 50_000, rounds=5, times=40, times_original=1)
SHORT = Size(50_000, 40, 10_000, rounds=3, times=15, times_original=1)

Times = dict[str, list[list[float]]]
"""Seconds by side, a list for each round."""


async def run_participants(short: bool) -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    size = SHORT if short else FULL
    where = conditions("asyncpg", "sqlalchemy", "fastapi", "uvicorn")
    with embedded_servers() as servers:
        world = await filled_world(servers, size.participants, size.partners, everybody=True)
        print("Filled", flush=True)
        scope = Scope(OrganisationKind.DELIVERY_PARTNER, world.filled.largest)
        largest = await _queries(world, scope, size, LOOKS)
        print("Queries: done", flush=True)
        crowd = await _crowd(world, scope, size)
        print("Many at once: done", flush=True)
        everybody = await _everybody(world, size)
        print("All in one list: done", flush=True)
        asked = await _http(servers, world, size)
        print("HTTP: done", flush=True)
        others = await _others(servers, world, size)
    sections = [
        "## Participants: lists, searches, one person",
        f"Made on {where}, embedded Postgres as it comes (shared_buffers 128MB), all on the same"
        f" cores. {'**Short form**. ' if short else ''}{size.participants:,} participants, {size.partners}"
        " delivery partners, and all once more with one appropriate body; two statuses of history each."
        f" {size.rounds} rounds after one of warming up.",
        "### Goals",
        _goals(largest, asked, others),
        *_query_tables(largest, crowd, everybody),
        *_http_table(asked),
        *_others_table(size, others),
    ]
    write_section("participants", "\n\n".join(sections))


async def _rounds(sides: Mapping[str, tuple[Sequence[Look], int]], rounds: int) -> Times:
    """In turns, each round begun by another side; the first is not counted."""
    times: Times = {name: [] for name in sides}
    names = list(sides)
    for turn in range(rounds + 1):
        shift = turn % len(names)
        for name in names[shift:] + names[:shift]:
            looks, each = sides[name]
            taken = await timed(looks, each)
            if turn:
                times[name].append(taken)
    return times


async def _queries(world: World, scope: Scope, size: Size, looks: Mapping[str, Looking]) -> dict[str, Times]:
    owner = await asyncpg.connect(world.database.owner_url)
    found = {}
    async with open_readers(world.reader_url, 1) as readers:
        queries = ParticipantQueries(readers, Precedence())
        for name, looking in looks.items():
            found[name] = await _rounds(
                {
                    OURS: ([ours(queries, scope, looking)], size.times),
                    BARE: ([bare(owner, scope, looking)], size.times),
                    ORIGINAL: ([original(owner, scope, looking)], size.times_original),
                },
                size.rounds,
            )
    await owner.close()
    return found


async def _crowd(world: World, scope: Scope, size: Size) -> dict[str, Times]:
    """Many at once: ours on a pool that keeps as many connections as the bare SQL has."""
    owners = [await asyncpg.connect(world.database.owner_url) for _ in range(CROWD)]
    found = {}
    async with open_readers(world.reader_url, CROWD) as readers:
        queries = ParticipantQueries(readers, Precedence())
        for name, looking in LOOKS.items():
            found[name] = await _rounds(
                {
                    OURS: ([ours(queries, scope, looking)] * CROWD, max(2, size.times // CROWD)),
                    BARE: ([bare(owner, scope, looking) for owner in owners], max(2, size.times // CROWD)),
                },
                size.rounds,
            )
    for owner in owners:
        await owner.close()
    return found


async def _everybody(world: World, size: Size) -> dict[str, Times]:
    """The one organisation that is shown all."""
    owner = await asyncpg.connect(world.database.owner_url)
    scope = Scope(OrganisationKind.APPROPRIATE_BODY, world.filled.everybody or UUID(int=0))
    times = max(3, size.times // 4)
    async with open_readers(world.reader_url, 1) as readers:
        queries = ParticipantQueries(readers, Precedence())
        found = {
            name: await _rounds(
                {
                    OURS: ([ours(queries, scope, looking)], times),
                    BARE: ([bare(owner, scope, looking)], times),
                },
                size.rounds,
            )
            for name, looking in LOOKS.items()
        }
    await owner.close()
    return found


async def _http(servers: Servers, world: World, size: Size) -> dict[str, Times]:
    issuer = TestIssuer("participants")
    person, session = uuid4(), uuid4()
    token = Renewed(lambda: issuer.person(person, Role.DELIVERY_PARTNER, world.filled.largest, session))
    scope = Scope(OrganisationKind.DELIVERY_PARTNER, world.filled.largest)
    owner = await asyncpg.connect(world.database.owner_url)
    await least_store(owner)
    somebody = await _somebody(world)
    asked = {name: (looking.url, bare(owner, scope, looking)) for name, looking in LOOKS.items()}
    asked["one person"] = f"/participants/{somebody}", bare_person(owner, scope, somebody)
    found = {}
    async with served(servers, world, issuer) as port:
        for name, (url, question) in asked.items():
            async with AsyncExitStack() as stack:
                get, writer = await http_client(port, token, url)
                stack.callback(writer.close)
                memory = await stack.enter_async_context(
                    from_memory(issuer, await get(), least(owner, question))
                )
                get_memory, writer = await http_client(memory, token, "/participants")
                stack.callback(writer.close)
                get_least, writer = await http_client(memory, token, "/least")
                stack.callback(writer.close)
                sides = {OURS: get, MEMORY: get_memory, LEAST: get_least}
                found[name] = await _rounds(
                    {side: ([look], size.times) for side, look in sides.items()}, size.rounds
                )
    await owner.close()
    return found


async def _somebody(world: World) -> UUID:
    owner = await asyncpg.connect(world.database.owner_url)
    query = "SELECT participant_id FROM participant_views WHERE organisation_id = $1 LIMIT 1"
    somebody = UUID(str(await owner.fetchval(query, world.filled.largest)))
    await owner.close()
    return somebody


async def _others(servers: Servers, world: World, size: Size) -> dict[str, Times]:
    """The same partner among few others' rows and among many."""
    few = await filled_world(servers, size.few, size.partners, everybody=False)
    scope = Scope(OrganisationKind.DELIVERY_PARTNER, world.filled.middle)
    async with open_readers(few.reader_url, 1) as among_few, open_readers(world.reader_url, 1) as among_many:
        sides = {
            "few": ParticipantQueries(among_few, Precedence()),
            "many": ParticipantQueries(among_many, Precedence()),
        }
        return {
            name: await _rounds(
                {side: ([ours(queries, scope, LOOKS[name])], size.times) for side, queries in sides.items()},
                size.rounds,
            )
            for name in OTHERS
        }


def _ratio(times: Times, side: str, to: str, share: float) -> float:
    """The median over the rounds of the ratio of percentiles within one."""
    pairs = zip(times[side], times[to], strict=True)
    return statistics.median(percentile(a, share) / percentile(b, share) for a, b in pairs)


def _milliseconds(times: Times, side: str, share: float) -> str:
    return f"{statistics.median(percentile(one, share) for one in times[side]) * 1000:.2f}"


def _goals(largest: dict[str, Times], asked: dict[str, Times], others: dict[str, Times]) -> str:
    rows = [
        goal(f"{name} over HTTP: requests/s of the same body from memory", _rate(asked[name], OURS), 0.6)
        for name in asked
        if name in FASTEST_OF_HTTP or name.startswith("search, common")
    ]
    rows += [
        goal(f"{name}: p95, times the bare SQL's", _ratio(times, OURS, BARE, 0.95), 1.5, at_most=True)
        for name, times in largest.items()
    ]
    rows += [
        goal(f"{name}: times faster than the original's way", _ratio(times, ORIGINAL, OURS, 0.5), 50)
        for name, times in largest.items()
    ]
    rows += [
        goal(
            f"{name}: p50 among all others, times that among few",
            _ratio(t, "many", "few", 0.5),
            1.2,
            at_most=True,
        )
        for name, t in others.items()
    ]
    return table(("what", "goal", "reached", "met"), rows)


def _rate(times: Times, side: str, of: str = MEMORY) -> float:
    """Requests per second of one side, of those of another."""
    return statistics.median(
        statistics.fmean(other) / statistics.fmean(one)
        for one, other in zip(times[side], times[of], strict=True)
    )


def _query_tables(
    largest: dict[str, Times], crowd: dict[str, Times], everybody: dict[str, Times]
) -> list[str]:
    head = ("milliseconds", "ours p50", "p95", "bare p50", "p95", "original p50")
    columns = ((OURS, 0.5), (OURS, 0.95), (BARE, 0.5), (BARE, 0.95), (ORIGINAL, 0.5))
    return [
        "### The query part, in the largest partner",
        "Ours: transaction, row-level security, counts by status, rows as what becomes JSON. Bare: the same"
        " statement as the tables' owner by asyncpg alone; of a search, one statement with `LIKE` that finds,"
        " counts and cuts. The original's way: every row is fetched, its status worked out (by our decision),"
        " then filtered.",
        "**One client**",
        table(head, [[name, *(_milliseconds(t, *c) for c in columns)] for name, t in largest.items()]),
        f"**{CROWD} clients**",
        table(
            head[:-1], [[name, *(_milliseconds(t, *c) for c in columns[:-1])] for name, t in crowd.items()]
        ),
        "**One organisation that is shown everybody, one client**",
        table(
            head[:-1],
            [[name, *(_milliseconds(t, *c) for c in columns[:-1])] for name, t in everybody.items()],
        ),
    ]


def _http_table(asked: dict[str, Times]) -> list[str]:
    columns = ((OURS, 0.5), (OURS, 0.95), (MEMORY, 0.5), (MEMORY, 0.95), (LEAST, 0.5))
    rates = ((OURS, MEMORY), (LEAST, MEMORY), (OURS, LEAST))
    return [
        "### Over HTTP, one client",
        "uvicorn, token checked, view recorded (a committed append) before the answer. From memory: the same"
        " frame and token, the same body, no database and nothing recorded. The least: the same after the"
        " bare SQL and one committed INSERT by asyncpg alone, which nobody can leave out who asks a"
        " database and records a view before it is shown.",
        table(
            (
                "milliseconds",
                "ours p50",
                "p95",
                "from memory p50",
                "p95",
                "the least p50",
                "ours: requests/s of those from memory",
                "the least: of those",
                "ours: of the least’s",
            ),
            [
                [
                    name,
                    *(_milliseconds(t, *c) for c in columns),
                    *(f"{_rate(t, side, of):.2f}" for side, of in rates),
                ]
                for name, t in asked.items()
            ],
        ),
    ]


def _others_table(size: Size, others: dict[str, Times]) -> list[str]:
    return [
        "### Others' rows",
        f"A partner of 1,000 participants among {size.few:,} and among {size.participants:,} (twice).",
        table(
            ("milliseconds, p50", "few", "many"),
            [
                [name, _milliseconds(t, "few", 0.5), _milliseconds(t, "many", 0.5)]
                for name, t in others.items()
            ],
        ),
    ]

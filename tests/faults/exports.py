"""`make faults-export`: kills while files are made; then each file is read, and every row counted."""

import argparse
import asyncio
import csv
import hashlib
import io
import os
import platform
import re
import time
import zipfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID, uuid4

import httpx
import obstore
from fastparquet import ParquetFile
from obstore.store import S3Store
from sqlalchemy import text

from tests.faults.exports_world import ExportWorld, export_world, say
from tests.faults.report import EXPORTS_BEGIN, EXPORTS_END

REPORT = Path(__file__).parents[2] / "docs" / "faults.md"
SIZES = (200, 20_000, 60_000)
AT_A_TIME = 4
SECONDS_TO_SETTLE = 240.0
OVER = ("ready", "failed")
FORMATS = ("csv", "csv", "csv", "xlsx", "parquet")


@dataclass(frozen=True)
class Asked:
    export_id: str
    size: int
    person: UUID


@dataclass
class Outcome:
    """half: files that are not whole, offered or not. wrong: those that have not all rows, or too many."""

    kills: Counter[str] = field(default_factory=Counter)
    states: Counter[str] = field(default_factory=Counter)
    tries: int = 0
    in_the_store: int = 0
    half: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    seconds: float = 0.0


async def campaign(seed: str, kills: int, sizes: tuple[int, ...] = SIZES) -> Outcome:
    outcome, asked = Outcome(), list[Asked]()
    began = time.monotonic()
    async with export_world(seed, list(sizes)) as world, httpx.AsyncClient(timeout=10) as http:
        load = asyncio.create_task(_keep_asking(world, http, asked, list(sizes)))
        for number in range(kills):
            await asyncio.sleep(world.rng.uniform(0.1, 1.5))
            await world.kill()
            if (number + 1) % 20 == 0:
                say(f"  {number + 1} kills, {len(asked)} files asked for")
        load.cancel()
        await asyncio.wait([load])
        await world.ready()
        await _settle(world, http, asked)
        outcome.kills = world.kills
        for one in asked:
            await _judge(world, http, one, outcome)
        await _judge_store(world, set(sizes), outcome)
        outcome.tries = await _tries(world)
    outcome.seconds = time.monotonic() - began
    return outcome


async def _keep_asking(
    world: ExportWorld, http: httpx.AsyncClient, asked: list[Asked], sizes: list[int]
) -> None:
    """A few at a time, each by a person of its own; an export that is down is asked at its other process."""

    async def one() -> None:
        while True:
            size, person = world.rng.choice(sizes), uuid4()
            wish = {"query": {}, "idempotency_key": str(uuid4()), "format": "csv"}
            if size == min(sizes):
                wish["format"] = world.rng.choice(FORMATS)
            answer = await _call(world, http, "POST", "", size, person, wish)
            mine = Asked(answer.json()["export_id"], size, person)
            asked.append(mine)
            await _until_over(world, http, mine)

    await asyncio.gather(*(one() for _ in range(AT_A_TIME)))


async def _call(
    world: ExportWorld,
    http: httpx.AsyncClient,
    method: str,
    path: str,
    size: int,
    person: UUID,
    body: Mapping[str, object] | None = None,
) -> httpx.Response:
    """Until somebody answers."""
    while True:
        for name in ("export-1", "export-2"):
            headers = world.headers(world.filled.organisations[size], person)
            url = f"{world.urls[name]}/exports{path}"
            try:
                answer = await http.request(method, url, json=body, headers=headers)
            except httpx.HTTPError:
                continue
            if answer.is_success:
                return answer
            assert answer.is_server_error, answer.text
        await asyncio.sleep(0.2)


async def _until_over(world: ExportWorld, http: httpx.AsyncClient, one: Asked) -> str:
    while True:
        shown = await _call(world, http, "GET", f"/{one.export_id}", one.size, one.person)
        if (state := str(shown.json()["state"])) in OVER:
            return state
        await asyncio.sleep(0.3)


async def _settle(world: ExportWorld, http: httpx.AsyncClient, asked: list[Asked]) -> None:
    await world.leases_are_over()
    async with asyncio.timeout(SECONDS_TO_SETTLE):
        for one in asked:
            await _until_over(world, http, one)


async def _judge(world: ExportWorld, http: httpx.AsyncClient, one: Asked, outcome: Outcome) -> None:
    shown = (await _call(world, http, "GET", f"/{one.export_id}", one.size, one.person)).json()
    outcome.states[shown["state"]] += 1
    if shown["state"] != "ready":
        return
    file = await _call(world, http, "GET", f"/{one.export_id}/file", one.size, one.person)
    sha256 = hashlib.sha256(file.content).hexdigest()
    if len(file.content) != shown["bytes"] or file.headers["etag"] != f'"{sha256}"':
        outcome.half.append(one.export_id)
    if not rows_of(file.content) == shown["rows_written"] == shown["rows_total"] == one.size:
        outcome.wrong.append(one.export_id)


async def _judge_store(world: ExportWorld, sizes: set[int], outcome: Outcome) -> None:
    """Also of tries that nobody offers, none may have left a half file."""
    store = S3Store(
        "exports",
        endpoint=world.store_url,
        region="us-east-1",
        access_key_id="nobody",
        secret_access_key="nothing",
        client_options={"allow_http": True},
    )
    async for page in obstore.list(store):
        for each in page:
            outcome.in_the_store += 1
            data = await (await obstore.get_async(store, each["path"])).bytes_async()
            if rows_of(bytes(data)) not in sizes:
                outcome.half.append(each["path"])


def rows_of(data: bytes) -> int:
    """People in a file; -1 for one that is not whole."""
    if data.startswith(b"PK"):
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as book:
                return book.read("xl/worksheets/sheet1.xml").count(b"<row ") - 1
        except zipfile.BadZipFile:
            return -1
    if data.startswith(b"PAR1"):
        try:
            return int(ParquetFile(io.BytesIO(data)).to_pandas().shape[0])
        except Exception:  # of what is broken inside, fastparquet raises whatever comes of it
            return -1
    if not data.endswith(b"\r\n"):
        return -1
    try:
        rows = list(csv.reader(io.StringIO(data.decode(), newline=""), strict=True))
    except csv.Error:
        return -1
    return len(rows) - 1 if all(len(row) == len(rows[0]) for row in rows) else -1


async def _tries(world: ExportWorld) -> int:
    async with world.engine.connect() as connection:
        started = text("SELECT count(*) FROM events WHERE type = 'WritingStarted'")
        return int(await connection.scalar(started) or 0)


def report(outcome: Outcome, conditions: str) -> str:
    killed = ", ".join(f"{name} {count}" for name, count in sorted(outcome.kills.items()))
    states = ", ".join(f"{count} {state}" for state, count in sorted(outcome.states.items()))
    sizes = ", ".join(f"{size:,}" for size in SIZES)
    return f"""## Exports

Made by `make faults-export`; `tests/faults/exports.py` says how. Two processes of export, one of participants
(kill -9) and the way to a store that speaks S3 (cut) go at random moments, while {AT_A_TIME} people at a
time ask for files of {sizes} rows, a few of them as workbooks or Parquet. After most kills the leases of
all jobs are made to be over, so that workers that live are taken for dead too, and two write the same file.
Then each file that is offered is downloaded, its checksum and rows are compared, and everything in the store
is read.

{outcome.kills.total()} kills ({killed}); {outcome.states.total()} files asked for ({states}),
begun {outcome.tries} times; {outcome.in_the_store} files in the store;
**{len(outcome.half)} half files, {len(outcome.wrong)} wrong counts**.

{conditions}, {outcome.seconds / 60:.0f} minutes on {os.cpu_count()} cores ({platform.machine()}), Python
{platform.python_version()}, the embedded Postgres and Valkey.
"""


def write(section: str) -> None:
    """In its place in docs/faults.md, at the end."""
    page = re.sub(f"(?s)\n*{EXPORTS_BEGIN}.*?{EXPORTS_END}\n?", "", REPORT.read_text())
    REPORT.write_text(f"{page.rstrip()}\n\n{EXPORTS_BEGIN}\n{section.strip()}\n{EXPORTS_END}\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", default="1")
    arguments = parser.parse_args()
    outcome = asyncio.run(campaign(arguments.seed, arguments.kills))
    write(report(outcome, f"`--kills {arguments.kills} --seed {arguments.seed}`"))
    say(f"{outcome}")
    if outcome.half or outcome.wrong:
        raise SystemExit(1)


if __name__ == "__main__":
    main()

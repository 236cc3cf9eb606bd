"""Canaries: secrets and personal data that are known to be in the system, and a search for them."""

import json
import re
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import asyncpg
import httpx
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from redis.asyncio import Redis

from shared.bus.stream import BODY
from shared.contracts import access, auth, export, manage_ects, participants
from shared.contracts.envelope import PublishedEvent

CONTRACTS: Mapping[str, type[PublishedEvent]] = {
    contract.type: contract
    for catalogue in (
        auth.CATALOGUE,
        access.CATALOGUE,
        participants.CATALOGUE,
        export.CATALOGUE,
        manage_ects.CATALOGUE,
    )
    for contract in catalogue
}


READ: Mapping[str, Callable[[str], tuple[str, ...]]] = {
    "string": lambda key: ("GET", key),
    "list": lambda key: ("LRANGE", key, "0", "-1"),
    "set": lambda key: ("SMEMBERS", key),
    "zset": lambda key: ("ZRANGE", key, "0", "-1"),
    "hash": lambda key: ("HGETALL", key),
}


@dataclass(slots=True)
class Canaries:
    """tokens: whatever could sign somebody in or prove something. people: names, addresses, TRNs."""

    tokens: set[str] = field(default_factory=set)
    people: set[str] = field(default_factory=set)

    def tokens_in(self, text: str) -> set[str]:
        """Wherever they are: they are long enough not to be there by chance."""
        return {token for token in self.tokens if token in text}

    def people_in(self, text: str) -> set[str]:
        """As words of their own, in any case: a TRN is not found in a longer number."""
        lower = text.casefold()
        return {
            person
            for person in self.people
            if person.casefold() in lower
            and re.search(rf"(?<![\w.]){re.escape(person.casefold())}(?!\w)", lower)
        }

    def all_in(self, text: str) -> set[str]:
        return self.tokens_in(text) | self.people_in(text)


@dataclass(frozen=True, slots=True)
class Finding:
    """where: such as a log's name. canary is for the one who mends it, and made up."""

    where: str
    canary: str


def of_texts(texts: Iterable[tuple[str, str]], canaries: Canaries) -> list[Finding]:
    """No text, which comes after its name, holds a token or personal data."""
    return [Finding(where, canary) for where, text in texts for canary in sorted(canaries.all_in(text))]


def of_logs(folder: Path, canaries: Canaries) -> list[Finding]:
    return of_texts(
        ((log.name, log.read_text(errors="replace")) for log in sorted(folder.glob("*.log"))), canaries
    )


def of_traces(bodies: Iterable[bytes], canaries: Canaries) -> list[Finding]:
    """bodies: what a collector got by OTLP. No span has one in its name or attributes."""
    requests = (ExportTraceServiceRequest.FromString(body) for body in bodies)
    told = {
        f"{span.name} {list(span.attributes)} {list(span.events)} {span.status.message}"
        for request in requests
        for resource in request.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    }
    return of_texts((("a span", text) for text in told), canaries)


async def of_metrics(environments: Mapping[str, Mapping[str, str]], canaries: Canaries) -> list[Finding]:
    """No metric has one in its name or labels."""
    found = []
    async with httpx.AsyncClient() as http:
        for service, environment in environments.items():
            answer = await http.get(f"http://127.0.0.1:{environment['CHECK_DATA_METRICS_PORT']}/metrics")
            assert "checkdata_" in answer.text
            found += [Finding(f"metrics of {service}", canary) for canary in canaries.all_in(answer.text)]
    return found


async def of_databases(environments: Mapping[str, Mapping[str, str]], canaries: Canaries) -> list[Finding]:
    """Nothing at rest holds a token. (Personal data is what some tables are for.)"""
    found = []
    for service, environment in environments.items():
        if url := environment.get("CHECK_DATA_OWNER_DATABASE_URL"):
            found += await of_database(service, url, canaries)
    return found


async def of_database(name: str, url: str, canaries: Canaries) -> list[Finding]:
    connection = await asyncpg.connect(url)
    try:
        return [
            Finding(f"{name}.{table}", canary)
            async for table, text in rows_of(connection)
            for canary in sorted(canaries.tokens_in(text))
        ]
    finally:
        await connection.close()


async def rows_of(connection: Any) -> AsyncIterator[tuple[str, str]]:
    """All rows of all tables, in batches. One query: most databases of tests hold next to nothing."""
    tables = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    if not tables:
        return
    query = " UNION ALL ".join(f"SELECT '{table}', t::text FROM \"{table}\" t" for (table,) in tables)  # noqa: S608
    async with connection.transaction(readonly=True):
        batch: dict[str, list[str]] = defaultdict(list)
        size = 0
        async for table, row in connection.cursor(query, prefetch=1_000):
            # bytea is shown in hexadecimal: also look at what it says.
            batch[table].append(re.sub(r"\\\\?x([0-9a-f]+)", _as_text, row))
            size += 1
            if size % 20_000 == 0:
                for name, rows in batch.items():
                    yield name, "\n".join(rows)
                batch.clear()
        for name, rows in batch.items():
            yield name, "\n".join(rows)


def _as_text(hexadecimal: re.Match[str]) -> str:
    return bytes.fromhex(hexadecimal[1][: len(hexadecimal[1]) // 2 * 2]).decode("latin-1")


async def of_bus(redis: Redis, canaries: Canaries, keys: str = "*") -> list[Finding]:
    """No token anywhere in Redis; personal data only in fields that a contract marks as such."""
    found = []
    async for key in redis.scan_iter(match=keys, count=1000):
        name = key.decode(errors="replace")
        kind: Any = await redis.type(key)
        if kind == b"stream":
            entries: Any = await redis.xrange(key)
            for _, entry in entries:
                found += _of_entry(name, entry, canaries)
        else:
            read: Any = redis.execute_command(*READ[kind.decode()](name))  # type: ignore[no-untyped-call]
            value = name + repr(await read)
            found += [Finding(name, canary) for canary in canaries.all_in(value)]
    return found


def _of_entry(name: str, entry: Mapping[bytes, bytes], canaries: Canaries) -> list[Finding]:
    body = entry.get(BODY.encode(), b"")
    try:
        event = json.loads(body)
    except ValueError:
        event = None
    if not isinstance(event, dict) or not isinstance(event.get("data"), dict):
        return of_texts([(name, repr(entry))], canaries)  # somebody else's, or of a test
    kind = str(event.get("type"))
    if kind.startswith("test."):  # the contract is the test's own: nobody here knows what it marks
        return [Finding(name, token) for token in canaries.tokens_in(body.decode())]
    contract = CONTRACTS.get(kind)
    marked = _marked(contract) if contract else frozenset()
    rest = {**event, "data": {name: v for name, v in event["data"].items() if name not in marked}}
    said = json.dumps(rest, ensure_ascii=False)
    where = f"{name} {event.get('type')}"
    return [Finding(where, canary) for canary in canaries.people_in(said) | canaries.tokens_in(body.decode())]


@cache
def _marked(contract: type[PublishedEvent]) -> frozenset[str]:
    """Fields that the contract marks as personal data, also in lists and options."""
    schema = contract.model_json_schema()
    return frozenset(
        name
        for name, described in schema.get("properties", {}).items()
        if "personalData" in json.dumps(described)
    )

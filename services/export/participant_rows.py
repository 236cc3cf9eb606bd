"""The rows of an export, as participants streams them: NDJSON from one snapshot of the read model.

{"total": n}, then one array for each row, then {"end": n}. The first line says how many are to come and
the last one how many came, so a stream that was cut off is never taken for a whole one.
"""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import orjson

from services.export.domain.csv_rows import Cell
from services.export.domain.events import ListQuery, Owner
from shared.contracts.auth import OnBehalfOf
from shared.contracts.participants import EXPORT_COLUMNS
from shared.contracts.roles import Role
from shared.tracing import outgoing_headers
from shared.web.service_client import ServiceTokens

ROWS_TIMEOUT = httpx.Timeout(5.0, read=60.0)
"""Seconds; read: without a single byte from participants."""
LONGEST_LINE = 1_000_000
"""Bytes. A line that goes on longer is not a row."""

Batch = list[list[Cell]]


class AccessEnded(Exception):
    """The person may no longer see these participants."""


class QueryNotUnderstood(Exception):
    """Participants does not know a filter of the query."""


class RowsIncomplete(Exception):
    """The stream ended before its end, or is not what was agreed."""


class ParticipantsService:
    """http: without credentials of its own; each call carries a token on behalf of the person."""

    def __init__(self, url: str, http: httpx.AsyncClient, tokens: ServiceTokens) -> None:
        self._url = url
        self._http = http
        self._tokens = tokens

    @asynccontextmanager
    async def rows(self, owner: Owner, query: ListQuery) -> AsyncIterator["RowStream"]:
        """The rows that this person sees in the list, in its order.

        Raises AccessEnded, QueryNotUnderstood, RowsIncomplete, and httpx.HTTPError when a service is away.
        """
        headers = {"authorization": f"Bearer {await self._token(owner)}", **outgoing_headers()}
        url = f"{self._url}/participants/rows"
        async with self._http.stream("GET", url, params=_parameters(query), headers=headers) as answer:
            if answer.status_code == httpx.codes.FORBIDDEN:
                raise AccessEnded
            if answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY:
                raise QueryNotUnderstood
            answer.raise_for_status()
            yield await RowStream.open(answer.aiter_bytes())

    async def _token(self, owner: Owner) -> str:
        person = OnBehalfOf(
            person_id=owner.person_id, role=Role(owner.role), organisation_id=owner.organisation_id
        )
        try:
            return await self._tokens.on_behalf_of(person, "participants")
        except httpx.HTTPStatusError as error:
            if error.response.status_code == httpx.codes.FORBIDDEN:
                raise AccessEnded from error
            raise


def _parameters(query: ListQuery) -> dict[str, str | list[str]]:
    return {
        "q": query.q,
        "role": list(query.role),
        "academic_year": [str(year) for year in query.academic_year],
        "status": list(query.status),
        "changed_since": query.changed_since,
    }


class RowStream:
    """total: how many rows there are. `batches` may be read once."""

    def __init__(self, total: int, first: list[Any], later: AsyncIterator[list[Any]]) -> None:
        self.total = total
        self._first = first
        self._later = later

    @classmethod
    async def open(cls, chunks: AsyncIterator[bytes]) -> "RowStream":
        """Read as far as the total. Raises RowsIncomplete."""
        documents = _documents(chunks)
        match await anext(documents, []):
            case [{"total": int(total)}, *first]:
                return cls(total, first, documents)
            case _:
                raise RowsIncomplete("the stream does not begin with the number of rows")

    async def batches(self) -> AsyncGenerator[Batch]:
        """All rows, some at a time. Raises RowsIncomplete, at the end at the latest, unless all came."""
        seen, end = 0, None
        async for documents in self._all():
            if end is not None:
                raise RowsIncomplete("the stream goes on after its end")
            rows = documents
            if rows and isinstance(rows[-1], dict):
                *rows, last = rows
                end = last.get("end")
            if not all(isinstance(row, list) and len(row) == len(EXPORT_COLUMNS) for row in rows):
                raise RowsIncomplete("a line is not a row of the agreed columns")
            seen += len(rows)
            yield rows
        if not seen == self.total == end:
            raise RowsIncomplete(f"{self.total} rows announced, {seen} came, {end} at the end")

    async def _all(self) -> AsyncIterator[list[Any]]:
        yield self._first
        async for documents in self._later:
            yield documents


async def _documents(chunks: AsyncIterator[bytes]) -> AsyncIterator[list[Any]]:
    """The documents of each chunk that ends some, parsed together: one by one costs several times more."""
    async for lines in _lines(chunks):
        try:
            documents = orjson.loads(b"[%b]" % b",".join(lines))
        except orjson.JSONDecodeError as error:
            raise RowsIncomplete("a line is not JSON") from error
        yield documents


async def _lines(chunks: AsyncIterator[bytes]) -> AsyncIterator[list[bytes]]:
    """Whole lines. Parted at LF only: text may hold other characters that Unicode takes for line ends."""
    rest = b""
    async for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        if len(rest) > LONGEST_LINE:
            raise RowsIncomplete("a line has no end")
        if lines:
            yield lines
    if rest:
        yield [rest]

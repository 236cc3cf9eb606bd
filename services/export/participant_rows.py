"""The rows of an export, as participants streams them: CSV records from one snapshot of the read model.

A header of the answer says how many come, so a stream that was cut off is never taken for a whole one.
"""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager

import httpx

from services.export.domain.csv_records import Records
from services.export.domain.events import FileShape, ListQuery, Owner
from shared.contracts.auth import OnBehalfOf
from shared.contracts.participants import ROWS_TOTAL
from shared.contracts.roles import Role
from shared.tracing import outgoing_headers
from shared.web.service_client import ServiceTokens

ROWS_TIMEOUT = httpx.Timeout(5.0, read=60.0)
"""Seconds; read: without a single byte from participants."""
PLAIN = {"accept-encoding": "identity"}
"""On the same network, packing costs more than it saves."""


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
    async def rows(self, owner: Owner, query: ListQuery, shape: FileShape) -> AsyncIterator["RowStream"]:
        """The rows that this person sees in the list, in its order.

        Raises AccessEnded, QueryNotUnderstood, RowsIncomplete, and httpx.HTTPError when a service is away.
        """
        headers = {"authorization": f"Bearer {await self._token(owner)}", **PLAIN, **outgoing_headers()}
        url = f"{self._url}/participants/rows"
        async with self._http.stream("GET", url, params=_parameters(query, shape), headers=headers) as answer:
            if answer.status_code == httpx.codes.FORBIDDEN:
                raise AccessEnded
            if answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY:
                raise QueryNotUnderstood
            answer.raise_for_status()
            total = answer.headers.get(ROWS_TOTAL, "")
            if not (total.isascii() and total.isdigit()):
                raise RowsIncomplete("the answer does not say how many rows there are")
            yield RowStream(int(total), answer.aiter_raw())

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


def _parameters(query: ListQuery, shape: FileShape) -> dict[str, str | list[str]]:
    return {
        "q": query.q,
        "role": list(query.role),
        "academic_year": [str(year) for year in query.academic_year],
        "status": list(query.status),
        "changed_since": query.changed_since,
        "sort": query.sort,
        "column": list(shape.columns),
    }


class RowStream:
    """total: how many rows there are; written: how many have passed. `pieces` may be read once."""

    def __init__(self, total: int, chunks: AsyncIterator[bytes]) -> None:
        self.total = total
        self._chunks = chunks
        self._records = Records()

    @property
    def written(self) -> int:
        return self._records.count

    async def pieces(self) -> AsyncGenerator[bytes]:
        """All records, as a file has them. Raises RowsIncomplete, at the latest at the end."""
        async for chunk in self._chunks:
            yield self._records.passed(chunk)
            if self.written > self.total:
                break
        if self.written != self.total or not self._records.whole:
            raise RowsIncomplete(f"{self.total} rows announced, {self.written} came")

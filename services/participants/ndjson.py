"""A stream of JSON lines as an answer over HTTP."""

from collections.abc import AsyncGenerator, AsyncIterator

import orjson
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

MEDIA_TYPE = "application/x-ndjson"
CHUNK = 64 * 1024
"""Bytes gathered before they are sent."""


class NdjsonResponse(StreamingResponse):
    """Sends lines as they come, and closes their source also when the reader goes away."""

    def __init__(self, first: object, values: AsyncGenerator[object, None]) -> None:
        super().__init__(_chunks(first, values), media_type=MEDIA_TYPE)
        self._values = values

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self._values.aclose()


async def answer_in_lines(values: AsyncGenerator[object, None]) -> NdjsonResponse:
    """Answer with a line for each value. What fails before the first is an error and not half an answer."""
    return NdjsonResponse(await anext(values), values)


async def _chunks(first: object, values: AsyncGenerator[object, None]) -> AsyncIterator[bytes]:
    gathered = bytearray(_line(first))
    async for value in values:
        gathered += _line(value)
        if len(gathered) >= CHUNK:
            yield bytes(gathered)
            gathered.clear()
    yield bytes(gathered)


def _line(value: object) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_APPEND_NEWLINE)

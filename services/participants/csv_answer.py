"""CSV records as an answer over HTTP, sent as they come."""

from collections.abc import AsyncGenerator

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from shared.contracts.participants import ROWS_TOTAL

MEDIA_TYPE = "text/csv; charset=utf-8; header=absent"


class CsvAnswer(StreamingResponse):
    """total: how many records come. Closes their source also when the reader goes away."""

    def __init__(self, total: int, chunks: AsyncGenerator[bytes]) -> None:
        super().__init__(chunks, media_type=MEDIA_TYPE, headers={ROWS_TOTAL: str(total)})
        self._chunks = chunks

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self._chunks.aclose()

"""Stand-ins for auth and participants, over HTTP on a free port.

They are the other side of two contracts and nothing more: POST /tokens as shared/contracts/auth.py says, and
GET /participants/rows as shared/contracts/participants.py says. The real services are tested elsewhere, and
all of them together in tests/end_to_end.
"""

import asyncio
import csv
import io
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from shared.contracts.auth import IssuedToken, OnBehalfOf, TokenRequest
from shared.contracts.participants import ROWS_TOTAL

Cell = str | int | None
Rows = Sequence[Sequence[Cell]]
PIECE = 500
"""Rows sent at a time."""


def row(number: int, school: str = "Fernhill School") -> list[Cell]:
    """A made-up participant in the agreed columns."""
    return [
        f"Person {number}",
        f"person{number}@example.org",
        f"{number:07}",
        "Early career teacher",
        "Example Lead Provider",
        school,
        "012345",
        2024,
        "active",
        "Training or eligible for training",
    ]


def in_csv(rows: Rows) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()


@dataclass
class Neighbours:
    """What they answer, and what they were asked."""

    url: str = ""
    rows: Rows = field(default_factory=lambda: [row(n) for n in range(3)])
    has_access: bool = True
    """Whether auth gives a token on behalf of the person."""
    rows_status: int = 200
    cut_off_after: int | None = None
    """Rows after which the stream breaks off in the middle of the next one."""
    stop_after: int | None = None
    """Rows after which nothing more is sent until `go_on` is set."""
    go_on: asyncio.Event = field(default_factory=asyncio.Event)
    on_behalf_of: list[OnBehalfOf | None] = field(default_factory=list)
    queries: list[list[tuple[str, str]]] = field(default_factory=list)

    async def tokens(self, request: Request) -> Response:
        asked = TokenRequest.model_validate_json(await request.body())
        assert asked.audience == "participants"
        self.on_behalf_of.append(asked.on_behalf_of)
        if not self.has_access:
            return JSONResponse({"detail": "not held"}, 403)
        return Response(IssuedToken(token="for-participants", expires_in=60).model_dump_json())

    async def participants_rows(self, request: Request) -> Response:
        assert request.headers["authorization"] == "Bearer for-participants"
        self.queries.append(request.query_params.multi_items())
        if self.rows_status != 200:
            return JSONResponse({"detail": "no"}, self.rows_status)
        total = {ROWS_TOTAL: str(len(self.rows))}
        return StreamingResponse(self._stream(), media_type="text/csv", headers=total)

    async def _stream(self) -> AsyncIterator[bytes]:
        sent = 0
        while sent < len(self.rows):
            if sent == self.stop_after:
                await self.go_on.wait()
            if sent == self.cut_off_after:
                yield b"Person"
                return
            upto = min(
                limit
                for limit in (sent + PIECE, self.stop_after, self.cut_off_after, len(self.rows))
                if limit is not None and limit > sent
            )
            yield in_csv(self.rows[sent:upto])
            sent = upto
            await asyncio.sleep(0.01)


@asynccontextmanager
async def serving() -> AsyncIterator[Neighbours]:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        neighbours = Neighbours(url=f"http://127.0.0.1:{listening.getsockname()[1]}")
        app = Starlette(
            routes=[
                Route("/tokens", neighbours.tokens, methods=["POST"]),
                Route("/participants/rows", neighbours.participants_rows),
            ]
        )
        server = uvicorn.Server(
            uvicorn.Config(app, lifespan="off", log_config=None, timeout_graceful_shutdown=1)
        )
        task = asyncio.create_task(server.serve(sockets=[listening]))
        try:
            yield neighbours
        finally:
            neighbours.go_on.set()
            server.should_exit = True
            await task

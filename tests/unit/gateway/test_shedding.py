"""More requests than can be taken."""

import asyncio

import httpx
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from services.gateway.shedding import ShedLoad


class Slow:
    """Answers when it is told to."""

    def __init__(self) -> None:
        self.now = asyncio.Event()
        self.arrived = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response: Response = PlainTextResponse("here")
        if Request(scope).url.path == "/slow":
            self.arrived += 1
            await self.now.wait()
        await response(scope, receive, send)


def client(app: Slow) -> httpx.AsyncClient:
    shedding = ShedLoad(app, 2, lambda: b"<h1>Sorry</h1>")
    return httpx.AsyncClient(transport=httpx.ASGITransport(shedding), base_url="https://x")


async def two_under_way(app: Slow, http: httpx.AsyncClient) -> list[asyncio.Task[httpx.Response]]:
    tasks = [asyncio.create_task(http.get("/slow")) for _ in range(2)]
    while app.arrived < 2:
        await asyncio.sleep(0)
    return tasks


async def test_one_too_many_is_sent_away_at_once_and_told_when_to_come_back() -> None:
    app = Slow()
    async with client(app) as http:
        taken = await two_under_way(app, http)
        answer = await http.get("/participants")
        assert (answer.status_code, answer.text) == (503, "<h1>Sorry</h1>")
        assert int(answer.headers["retry-after"]) > 0
        app.now.set()
        assert [a.status_code for a in await asyncio.gather(*taken)] == [200, 200]
        assert (await http.get("/participants")).status_code == 200


async def test_health_and_the_look_of_the_page_are_answered_always() -> None:
    app = Slow()
    async with client(app) as http:
        taken = await two_under_way(app, http)
        for path in ("/health/live", "/health/ready", "/assets/check-data.0123.css"):
            assert (await http.get(path)).status_code == 200
        app.now.set()
        await asyncio.gather(*taken)


async def test_an_answer_that_is_read_slowly_is_not_under_way() -> None:
    begun, read = asyncio.Event(), asyncio.Event()

    async def download(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        begun.set()
        if scope["path"] == "/slow":
            await read.wait()
        await send({"type": "http.response.body", "body": b"rows"})

    shedding = ShedLoad(download, 1, lambda: b"")
    async with httpx.AsyncClient(transport=httpx.ASGITransport(shedding), base_url="https://x") as http:
        downloading = asyncio.create_task(http.get("/slow"))
        await begun.wait()
        assert (await http.get("/quick")).status_code == 200
        read.set()
        assert (await downloading).text == "rows"

"""How the gateway takes what a service answers, or does not."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

import aiohttp
import pytest
import pytest_asyncio
from aiohttp.connector import Connection
from pydantic import TypeAdapter

from services.gateway import client as client_module
from services.gateway.backend import Backend, BackendDown, FieldError, OwnToken, Refusal
from services.gateway.circuit import Circuit
from services.gateway.client import open_client
from services.gateway.own_token import asking_auth
from shared.contracts.auth import LinkLifetime, SessionRef, TokenRequest
from shared.embedded.ports import free_ports
from shared.tracing import new_trace, tracing
from shared.web.idle_connections import CLOSED_AFTER_SECONDS, KEPT_SECONDS
from shared.web.service_client import ServiceTokens

LIFETIME = TypeAdapter(LinkLifetime)
BODY = SessionRef(session="s")


@dataclass(frozen=True)
class Says:
    """broken_off: the connection ends before the content does. stops: it does not, and no more comes."""

    status: int = 200
    content: bytes = b'{"minutes": 10}'
    headers: Mapping[str, str] = field(default_factory=dict)
    broken_off: bool = False
    stops: bool = False


class Breaks:
    """The connection ends without an answer."""


class Hangs:
    """Nothing is answered."""


@dataclass(frozen=True)
class Got:
    method: str
    target: str
    headers: Mapping[str, str]
    content: bytes


@dataclass
class Service:
    """A service on a port, that does the next of these with each request; after the last, it again."""

    url: str = ""
    outcomes: list[Says | Breaks | Hangs] = field(default_factory=list)
    requests: list[Got] = field(default_factory=list)
    connections: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while True:
                self.requests.append(await _read(reader))
                outcome = self.outcomes.pop(0) if len(self.outcomes) > 1 else self.outcomes[0]
                match outcome:
                    case Says():
                        writer.write(_written(outcome))
                        if outcome.broken_off:
                            return
                        if outcome.stops:
                            await asyncio.Event().wait()
                    case Hangs():
                        await asyncio.Event().wait()
                    case Breaks():
                        return
        except asyncio.IncompleteReadError:
            return  # the gateway has closed it
        finally:
            writer.close()


async def _read(reader: asyncio.StreamReader) -> Got:
    head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    method, target, _ = head[0].split(" ")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
    content = await reader.readexactly(int(headers.get("content-length", "0")))
    return Got(method, target, headers, content)


def _written(answer: Says) -> bytes:
    length = len(answer.content) + (10 if answer.broken_off or answer.stops else 0)
    lines = [f"HTTP/1.1 {answer.status} .", f"content-length: {length}"]
    lines += [f"{name}: {value}" for name, value in answer.headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + answer.content


@pytest_asyncio.fixture
async def service() -> AsyncIterator[Service]:
    service = Service(outcomes=[Says()])
    server = await asyncio.start_server(service.serve, "127.0.0.1")
    service.url = "http://{}:{}".format(*server.sockets[0].getsockname())
    yield service
    server.close()


@dataclass
class Gateway:
    """Makes backends, with the clients that the gateway has, which are closed with the test."""

    opened: AsyncExitStack

    async def client(self, answer_seconds: float = 5) -> aiohttp.ClientSession:
        return await self.opened.enter_async_context(open_client(answer_seconds))

    async def backend(
        self, url: str, answer_seconds: float = 5, own_token: OwnToken | None = None
    ) -> Backend:
        circuit = Circuit("auth", failures=5, pause_seconds=60, calls_at_once=10)
        client = await self.client(answer_seconds)
        return Backend("auth", url, client, circuit, answer_seconds=answer_seconds, own_token=own_token)


@pytest_asyncio.fixture
async def gateway() -> AsyncIterator[Gateway]:
    async with AsyncExitStack() as opened:
        yield Gateway(opened)


async def test_a_get_goes_with_the_token_and_the_trace(gateway: Gateway, service: Service) -> None:
    backend = await gateway.backend(service.url)
    with tracing(new_trace()) as trace:
        answer = await backend.get("/x", LIFETIME, "token", [("a", "1"), ("a", "é &+/")])
    assert answer == LinkLifetime(minutes=10)
    (request,) = service.requests
    assert (request.method, request.target) == ("GET", "/x?a=1&a=%C3%A9+%26%2B%2F")
    assert request.headers["authorization"] == "Bearer token"
    assert request.headers["traceparent"] == trace.traceparent
    assert request.headers["x-correlation-id"] == trace.correlation_id


async def test_a_post_carries_its_body_as_json(gateway: Gateway, service: Service) -> None:
    assert await (await gateway.backend(service.url)).post("/x", BODY, LIFETIME)
    (request,) = service.requests
    assert json.loads(request.content) == {"session": "s"}
    assert request.headers["content-type"] == "application/json"


async def test_who_carries_no_persons_token_goes_with_the_gateways_own(
    gateway: Gateway, service: Service
) -> None:
    service.outcomes = [Says(content=b'{"token": "own", "expires_in": 60}'), Says()]
    tokens = ServiceTokens(asking_auth("secret", service.url, await gateway.client()))

    async def own() -> str:
        return await tokens.own("auth")

    backend = await gateway.backend(service.url, own_token=own)
    for token in (None, None, "person"):
        await backend.get("/x", LIFETIME, token)
    asked, *sent = service.requests
    assert (asked.method, asked.target) == ("POST", "/tokens")
    assert asked.headers["authorization"] == "Basic Z2F0ZXdheTpzZWNyZXQ="
    assert TokenRequest.model_validate_json(asked.content) == TokenRequest(audience="auth")
    assert [each.headers["authorization"] for each in sent] == ["Bearer own", "Bearer own", "Bearer person"]


@pytest.mark.parametrize("repeatable", [True, False])
async def test_its_own_token_is_asked_for_again_when_that_connection_broke(
    gateway: Gateway, service: Service, repeatable: bool
) -> None:
    service.outcomes = [Breaks(), Says(content=b'{"token": "own", "expires_in": 60}'), Says()]
    tokens = ServiceTokens(asking_auth("secret", service.url + "/", await gateway.client()))
    backend = await gateway.backend(service.url, own_token=lambda: tokens.own("auth"))
    if repeatable:
        await backend.get("/x", LIFETIME)
    else:
        await backend.tell("/x", BODY)
    assert [request.target for request in service.requests] == ["/tokens", "/tokens", "/x"]


async def test_without_a_token_of_its_own_the_service_is_down(gateway: Gateway, service: Service) -> None:
    service.outcomes = [Says(401)]
    tokens = ServiceTokens(asking_auth("false", service.url, await gateway.client()))
    backend = await gateway.backend(service.url, own_token=lambda: tokens.own("auth"))
    with pytest.raises(BackendDown):
        await backend.get("/x", LIFETIME)


@pytest.mark.parametrize("broken", [Breaks(), Says(broken_off=True)])
async def test_a_get_is_tried_again_when_the_connection_broke_and_not_for_ever(
    gateway: Gateway, service: Service, broken: Breaks | Says
) -> None:
    backend = await gateway.backend(service.url)
    service.outcomes = [broken, Says()]
    assert await backend.get("/x", LIFETIME, "t")
    service.requests.clear()
    service.outcomes = [broken, broken, Says()]
    with pytest.raises(BackendDown):
        await backend.get("/x", LIFETIME, "t")
    assert len(service.requests) == 2


async def test_aiohttps_second_try_of_a_get_and_the_gateways_make_three_at_most(
    gateway: Gateway, service: Service
) -> None:
    service.outcomes = [Breaks(), Says(broken_off=True), Says(broken_off=True), Says()]
    with pytest.raises(BackendDown):
        await (await gateway.backend(service.url)).get("/x", LIFETIME, "t")
    assert len(service.requests) == 3


@pytest.mark.parametrize("failures", [1, 2])
async def test_a_get_that_met_a_closing_connection_is_tried_again_once(
    gateway: Gateway, service: Service, monkeypatch: pytest.MonkeyPatch, failures: int
) -> None:
    send = aiohttp.ClientRequest.send
    tries = 0

    async def closing_at_first(request: aiohttp.ClientRequest, conn: Connection) -> aiohttp.ClientResponse:
        nonlocal tries
        tries += 1
        if tries <= failures:
            raise aiohttp.ClientConnectionResetError("Cannot write to closing transport")
        return await send(request, conn)

    monkeypatch.setattr(aiohttp.ClientRequest, "send", closing_at_first)
    backend = await gateway.backend(service.url)
    if failures == 1:
        assert await backend.get("/x", LIFETIME, "t")
    else:
        with pytest.raises(BackendDown):
            await backend.get("/x", LIFETIME, "t")
    assert tries == 2


async def test_a_connection_is_let_go_of_before_the_service_closes_it(
    gateway: Gateway, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert KEPT_SECONDS < CLOSED_AFTER_SECONDS
    monkeypatch.setattr(client_module, "KEPT_SECONDS", 0.3)
    backend = await gateway.backend(service.url)
    for _ in range(2):
        await backend.get("/x", LIFETIME, "t")
    assert service.connections == 1
    await asyncio.sleep(0.4)
    await backend.get("/x", LIFETIME, "t")
    assert service.connections == 2


async def test_no_cookie_of_a_service_is_kept(gateway: Gateway, service: Service) -> None:
    service.outcomes = [Says(headers={"set-cookie": "of=somebody; path=/"})]
    by_name = service.url.replace("127.0.0.1", "localhost")  # cookies of bare addresses nobody keeps
    backend = await gateway.backend(by_name)
    for _ in range(2):
        await backend.get("/x", LIFETIME, "t")
    assert [request.headers.get("cookie") for request in service.requests] == [None, None]


async def test_services_are_not_called_through_a_proxy(
    gateway: Gateway, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    (nobody,) = free_ports(1)
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{nobody}")
    assert await (await gateway.backend(service.url)).get("/x", LIFETIME, "t")


async def test_nobody_there_means_that_the_service_is_down(gateway: Gateway) -> None:
    (port,) = free_ports(1)
    with pytest.raises(BackendDown):
        await (await gateway.backend(f"http://127.0.0.1:{port}")).get("/x", LIFETIME, "t")


async def test_a_post_is_not_sent_twice(gateway: Gateway, service: Service) -> None:
    service.outcomes = [Breaks(), Says()]
    with pytest.raises(BackendDown):
        await (await gateway.backend(service.url)).post("/x", BODY, LIFETIME)
    assert len(service.requests) == 1


async def test_a_post_that_may_be_repeated_is_tried_again(gateway: Gateway, service: Service) -> None:
    service.outcomes = [Breaks(), Says()]
    assert await (await gateway.backend(service.url)).post("/x", BODY, LIFETIME, repeatable=True)


async def test_who_waited_for_a_slow_service_does_not_wait_twice(gateway: Gateway, service: Service) -> None:
    service.outcomes = [Hangs()]
    with pytest.raises(BackendDown):
        await (await gateway.backend(service.url, answer_seconds=1)).get("/x", LIFETIME, "t")
    assert len(service.requests) == 1


@pytest.mark.parametrize("failure", [Breaks(), Hangs(), Says(503)])
async def test_a_service_that_fails_again_and_again_is_left_alone(
    gateway: Gateway, service: Service, failure: Breaks | Hangs | Says
) -> None:
    service.outcomes = [failure]
    backend = await gateway.backend(service.url, answer_seconds=1)
    for _ in range(9):
        with pytest.raises(BackendDown):
            await backend.post("/x", BODY, LIFETIME, "t")
    assert len(service.requests) == 5


@pytest.mark.parametrize("status", [403, 404, 500])
async def test_neither_a_no_nor_a_bug_of_one_page_closes_the_others(
    gateway: Gateway, service: Service, status: int
) -> None:
    service.outcomes = [Says(status)]
    backend = await gateway.backend(service.url)
    for _ in range(9):
        with pytest.raises((Refusal, BackendDown)):
            await backend.get("/x", LIFETIME, "t")
    assert len(service.requests) == 9


async def test_a_no_of_the_service_comes_with_its_words(gateway: Gateway, service: Service) -> None:
    problem = {
        "type": "urn:check-data:problem:four-eyes",
        "detail": "Ask a colleague.",
        "errors": [{"field": "reason", "message": "Say why."}],
    }
    service.outcomes = [Says(409, json.dumps(problem).encode(), {"retry-after": "7"})]
    with pytest.raises(Refusal) as refused:
        await (await gateway.backend(service.url)).post("/x", BODY, LIFETIME)
    said = refused.value
    assert (said.status, said.code, said.detail) == (409, "four-eyes", "Ask a colleague.")
    assert said.errors == (FieldError(field="reason", message="Say why."),)
    assert said.retry_after == "7"


async def test_a_no_without_a_problem_document_is_still_a_no(gateway: Gateway, service: Service) -> None:
    service.outcomes = [Says(404, b"<html>")]
    with pytest.raises(Refusal) as refused:
        await (await gateway.backend(service.url)).get("/x", LIFETIME, "t")
    assert refused.value.status == 404


@pytest.mark.parametrize(
    "answer", [Says(500), Says(content=b'{"hours": 1}'), Says(302, b"", {"location": "/elsewhere"})]
)
async def test_what_is_no_answer_means_that_the_service_is_down(
    gateway: Gateway, service: Service, answer: Says
) -> None:
    service.outcomes = [answer]
    with pytest.raises(BackendDown):
        await (await gateway.backend(service.url)).get("/x", LIFETIME, "t")
    assert len(service.requests) == 1, "a redirect is not followed"


async def test_a_file_is_passed_on_as_it_comes(gateway: Gateway, service: Service) -> None:
    headers = {"content-range": "bytes 0-10/500", "content-disposition": "attachment", "set-cookie": "no=1"}
    service.outcomes = [Says(206, b"full_name\r\n", headers)]
    backend = await gateway.backend(service.url)
    file = await backend.file("/exports/1/file", "t", {"range": "bytes=0-10"})
    assert b"".join([chunk async for chunk in file.chunks]) == b"full_name\r\n"
    assert file.status == 206
    assert file.headers["content-range"] == "bytes 0-10/500"
    assert "set-cookie" not in file.headers
    (request,) = service.requests
    assert request.headers["range"] == "bytes=0-10"
    assert request.headers["accept-encoding"] == "identity"


async def test_a_file_that_breaks_off_does_not_look_whole(gateway: Gateway, service: Service) -> None:
    service.outcomes = [Says(200, b"full_name\r\n", broken_off=True)]
    file = await (await gateway.backend(service.url)).file("/exports/1/file", "t", {})
    with pytest.raises(aiohttp.ClientPayloadError):
        _ = [chunk async for chunk in file.chunks]


async def test_a_file_that_stops_in_the_middle_is_not_waited_for(gateway: Gateway, service: Service) -> None:
    service.outcomes = [Says(200, b"full_name\r\n", stops=True)]
    file = await (await gateway.backend(service.url, answer_seconds=0.5)).file("/exports/1/file", "t", {})
    async with asyncio.timeout(5):
        with pytest.raises(aiohttp.SocketTimeoutError):
            _ = [chunk async for chunk in file.chunks]


async def test_a_file_that_may_not_be_had_is_a_refusal(gateway: Gateway, service: Service) -> None:
    service.outcomes = [Says(410, b'{"detail": "Too late."}')]
    with pytest.raises(Refusal):
        await (await gateway.backend(service.url)).file("/x", "t", {})

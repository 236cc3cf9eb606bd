"""How the gateway takes what a service answers, or does not."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine

import httpx
import pytest
from pydantic import TypeAdapter

from services.gateway.backend import Backend, BackendDown, FieldError, Refusal
from services.gateway.circuit import Circuit
from shared.contracts.auth import LinkLifetime, SessionRef
from shared.tracing import new_trace, tracing

LIFETIME = TypeAdapter(LinkLifetime)
BODY = SessionRef(session="s")
Transport = (
    Callable[[httpx.Request], httpx.Response]
    | Callable[[httpx.Request], Coroutine[None, None, httpx.Response]]
)


class Network:
    """Answers each request with the next of these: an answer, or the error that it meets."""

    def __init__(self, *outcomes: httpx.Response | Exception) -> None:
        self.outcomes = list(outcomes)
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        outcome = self.outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


def backend(network: Transport, answer_seconds: float = 5) -> Backend:
    http = httpx.AsyncClient(transport=httpx.MockTransport(network), base_url="http://auth")
    circuit = Circuit("auth", failures=5, pause_seconds=60, calls_at_once=10)
    return Backend("auth", http, circuit, answer_seconds=answer_seconds)


def good() -> httpx.Response:
    return httpx.Response(200, json={"minutes": 10})


async def test_a_get_goes_with_the_token_and_the_trace() -> None:
    network = Network(good())
    with tracing(new_trace()) as trace:
        answer = await backend(network).get("/x", LIFETIME, "token", [("a", "1"), ("a", "2")])
    assert answer == LinkLifetime(minutes=10)
    request = network.requests[0]
    assert request.url.query == b"a=1&a=2"
    assert request.headers["authorization"] == "Bearer token"
    assert request.headers["traceparent"] == trace.traceparent
    assert request.headers["x-correlation-id"] == trace.correlation_id


async def test_a_get_is_tried_again_once_when_the_connection_broke() -> None:
    assert await backend(Network(httpx.ReadError("gone"), good())).get("/x", LIFETIME, "t")
    network = Network(httpx.ConnectError("gone"), httpx.ConnectError("gone"), good())
    with pytest.raises(BackendDown):
        await backend(network).get("/x", LIFETIME, "t")
    assert len(network.requests) == 2


async def test_a_post_is_not_sent_twice() -> None:
    network = Network(httpx.ReadError("gone"), good())
    with pytest.raises(BackendDown):
        await backend(network).post("/x", BODY, LIFETIME)
    assert len(network.requests) == 1


async def test_a_post_that_may_be_repeated_is_tried_again() -> None:
    assert await backend(Network(httpx.ReadError("gone"), good())).post("/x", BODY, LIFETIME, repeatable=True)


async def test_who_waited_for_a_slow_service_does_not_wait_twice() -> None:
    network = Network(httpx.ReadTimeout("slow"), good())
    with pytest.raises(BackendDown):
        await backend(network).get("/x", LIFETIME, "t")
    assert len(network.requests) == 1


async def test_an_answer_that_drips_is_not_waited_for_beyond_its_time() -> None:
    async def drip(_: httpx.Request) -> httpx.Response:
        await asyncio.sleep(60)
        return good()

    with pytest.raises(BackendDown):
        await backend(drip, answer_seconds=0.02).get("/x", LIFETIME, "t")


@pytest.mark.parametrize("failure", [httpx.ConnectTimeout("slow"), httpx.Response(503)])
async def test_a_service_that_fails_again_and_again_is_left_alone(
    failure: httpx.Response | Exception,
) -> None:
    network = Network(*[failure] * 9)
    service = backend(network)
    for _ in range(9):
        with pytest.raises(BackendDown):
            await service.get("/x", LIFETIME, "t")
    assert len(network.requests) == 5


@pytest.mark.parametrize("status", [403, 404, 500])
async def test_neither_a_no_nor_a_bug_of_one_page_closes_the_others(status: int) -> None:
    network = Network(*[httpx.Response(status)] * 9)
    service = backend(network)
    for _ in range(9):
        with pytest.raises((Refusal, BackendDown)):
            await service.get("/x", LIFETIME, "t")
    assert len(network.requests) == 9


async def test_a_no_of_the_service_comes_with_its_words() -> None:
    problem = {
        "type": "urn:check-data:problem:four-eyes",
        "detail": "Ask a colleague.",
        "errors": [{"field": "reason", "message": "Say why."}],
    }
    with pytest.raises(Refusal) as refused:
        await backend(Network(httpx.Response(409, json=problem))).post("/x", BODY, LIFETIME)
    said = refused.value
    assert (said.status, said.code, said.detail) == (409, "four-eyes", "Ask a colleague.")
    assert said.errors == (FieldError(field="reason", message="Say why."),)


async def test_a_no_without_a_problem_document_is_still_a_no() -> None:
    with pytest.raises(Refusal) as refused:
        await backend(Network(httpx.Response(404, text="<html>"))).get("/x", LIFETIME, "t")
    assert refused.value.status == 404


@pytest.mark.parametrize(
    "answer", [httpx.Response(500), httpx.Response(200, json={"hours": 1}), httpx.Response(302)]
)
async def test_what_is_no_answer_means_that_the_service_is_down(answer: httpx.Response) -> None:
    with pytest.raises(BackendDown):
        await backend(Network(answer)).get("/x", LIFETIME, "t")


async def _pieces() -> AsyncIterator[bytes]:
    yield b"full_"
    yield b"name\r\n"


async def test_a_file_is_passed_on_as_it_comes() -> None:
    answer = httpx.Response(
        206,
        content=_pieces(),
        headers={
            "content-range": "bytes 0-10/500",
            "content-disposition": "attachment",
            "set-cookie": "no=1",
        },
    )
    network = Network(answer)
    file = await backend(network).file("/exports/1/file", "t", {"range": "bytes=0-10"})
    assert [chunk async for chunk in file.chunks] == [b"full_", b"name\r\n"]
    assert file.status == 206
    assert file.headers["content-range"] == "bytes 0-10/500"
    assert "set-cookie" not in file.headers
    assert network.requests[0].headers["range"] == "bytes=0-10"
    assert network.requests[0].headers["accept-encoding"] == "identity"


async def test_a_file_that_may_not_be_had_is_a_refusal() -> None:
    with pytest.raises(Refusal):
        await backend(Network(httpx.Response(410, json={"detail": "Too late."}))).file("/x", "t", {})

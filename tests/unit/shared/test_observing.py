"""What a service notes of a request is made of its own words, whatever a stranger sends."""

import httpx
import pytest
from fastapi import FastAPI
from prometheus_client import generate_latest
from structlog.testing import capture_logs

from shared.web.middleware import OTHER, Observe

CORRELATION = "x-correlation-id"


@pytest.fixture
def http() -> httpx.AsyncClient:
    app = FastAPI()
    app.add_middleware(Observe)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://observed.example")


@pytest.mark.parametrize("method", ["3141592", "WHITFIELD", "A" * 60])
async def test_a_made_up_method_is_no_word_of_a_log_or_a_metric(http: httpx.AsyncClient, method: str) -> None:
    """Each would be another series in memory, for ever; and whatever somebody writes there would be kept."""
    with capture_logs() as logs:
        await http.request(method, "/")
    (line,) = [line for line in logs if line["event"] == "request_answered"]
    assert line["method"] == OTHER
    assert f'method="{method}"' not in generate_latest().decode()


@pytest.mark.parametrize(
    "sent", ["dana-whitfield-of-fernhill", "3141592-3141592", "x" * 32, "a" * 31, "a" * 33, "", "\xe9" * 32]
)
async def test_a_correlation_that_could_say_something_is_not_taken_over(
    http: httpx.AsyncClient, sent: str
) -> None:
    answer = await http.get("/", headers={CORRELATION: sent.encode("latin-1")})  # type: ignore[arg-type]
    assert answer.headers[CORRELATION] != sent


@pytest.mark.parametrize("sent", ["0123456789abcdef" * 2, "01234567-89AB-cdef-0123-456789abcdef"])
async def test_a_correlation_that_is_an_id_goes_on(http: httpx.AsyncClient, sent: str) -> None:
    assert (await http.get("/", headers={CORRELATION: sent})).headers[CORRELATION] == sent
